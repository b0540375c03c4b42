namespace Fusion.Kernels;

/// <summary>Every element-wise operator of the kernels, once.</summary>
internal static class ElementOps
{
    // Arithmetic
    public static readonly ElementOp Add = ElementOp.Binary<AddOp>("Add", integers: true, commutes: true);
    public static readonly ElementOp Subtract = ElementOp.Binary<SubtractOp>("Subtract", integers: true);
    public static readonly ElementOp Multiply = ElementOp.Binary<MultiplyOp>("Multiply", integers: true, commutes: true);
    public static readonly ElementOp Divide = ElementOp.Binary<DivideOp>("Divide");
    public static readonly ElementOp FloorDivide = new DivisionElementOp<FloorDivideOp>("FloorDivide", remainder: false);
    public static readonly ElementOp Mod = new DivisionElementOp<ModOp>("Mod", remainder: true);
    public static readonly ElementOp MultiplyAdd = ElementOp.Ternary<MultiplyAddOp>("MultiplyAdd");
    public static readonly ElementOp FusedMultiplyAdd = ElementOp.Ternary<FusedMultiplyAddOp>("FusedMultiplyAdd");
    public static readonly ElementOp Negate = ElementOp.Unary<NegateOp>("Negate", integers: true);
    public static readonly ElementOp Abs = ElementOp.Unary<AbsOp>("Abs", integers: true);
    public static readonly ElementOp Sign = ElementOp.Unary<SignOp>("Sign", integers: true);
    public static readonly ElementOp Square = ElementOp.Unary<SquareOp>("Square", integers: true);
    public static readonly ElementOp Cube = ElementOp.Unary<CubeOp>("Cube");
    public static readonly ElementOp OneMinusSquare = ElementOp.Unary<OneMinusSquareOp>("OneMinusSquare");
    public static readonly ElementOp Reciprocal = ElementOp.Unary<ReciprocalOp>("Reciprocal");
    public static readonly ElementOp Sqrt = ElementOp.Unary<SqrtOp>("Sqrt");
    public static readonly ElementOp ReciprocalSqrt = ElementOp.Unary<ReciprocalSqrtOp>("ReciprocalSqrt");
    public static readonly ElementOp AbsoluteDifference = ElementOp.Binary<AbsoluteDifferenceOp>("AbsoluteDifference");
    public static readonly ElementOp ScaledDifference = ElementOp.Ternary<ScaledDifferenceOp>("ScaledDifference");
    public static readonly ElementOp Lerp = ElementOp.Ternary<LerpOp>("Lerp");

    // Rounding
    public static readonly ElementOp Floor = ElementOp.Unary<FloorOp>("Floor", integers: true);
    public static readonly ElementOp Ceiling = ElementOp.Unary<CeilingOp>("Ceiling", integers: true);
    public static readonly ElementOp Round = ElementOp.Unary<RoundOp>("Round", integers: true);
    public static readonly ElementOp Truncate = ElementOp.Unary<TruncateOp>("Truncate", integers: true);
    public static readonly ElementOp RoundToFloat16 = ElementOp.Unary<RoundToFloat16Op>("RoundToFloat16");
    public static readonly ElementOp RoundToBFloat16 = ElementOp.Unary<RoundToBFloat16Op>("RoundToBFloat16");

    // Selection
    public static readonly ElementOp Maximum = ElementOp.Binary<MaximumOp>("Maximum", integers: true);
    public static readonly ElementOp Minimum = ElementOp.Binary<MinimumOp>("Minimum", integers: true);
    public static readonly ElementOp Clip = ElementOp.Ternary<ClipOp>("Clip", integers: true);
    public static readonly ElementOp CopySign = ElementOp.Binary<CopySignOp>("CopySign");
    public static readonly ElementOp Relu = ElementOp.Unary<ReluOp>("Relu", integers: true);
    public static readonly ElementOp LeakyRelu = ElementOp.Binary<LeakyReluOp>("LeakyRelu");
    public static readonly ElementOp Huber = ElementOp.Ternary<HuberOp>("Huber");
    public static readonly ElementOp SmoothL1 = ElementOp.Ternary<SmoothL1Op>("SmoothL1");
    public static readonly ElementOp HardSigmoid = ElementOp.Ternary<HardSigmoidOp>("HardSigmoid");
    public static readonly ElementOp Where = ElementOp.Choice<WhereOp>("Where");

    // Comparisons and tests: values to masks
    public static readonly ElementOp Equal = ElementOp.Comparison<EqualOp>("Equal", commutes: true);
    public static readonly ElementOp NotEqual = ElementOp.Comparison<NotEqualOp>("NotEqual", commutes: true);
    public static readonly ElementOp Greater = ElementOp.Comparison<GreaterOp>("Greater");
    public static readonly ElementOp GreaterOrEqual = ElementOp.Comparison<GreaterOrEqualOp>("GreaterOrEqual");
    public static readonly ElementOp Less = ElementOp.Comparison<LessOp>("Less");
    public static readonly ElementOp LessOrEqual = ElementOp.Comparison<LessOrEqualOp>("LessOrEqual");
    public static readonly ElementOp IsNaN = ElementOp.Test<IsNaNOp>("IsNaN");
    public static readonly ElementOp IsFinite = ElementOp.Test<IsFiniteOp>("IsFinite");
    public static readonly ElementOp IsInfinity = ElementOp.Test<IsInfinityOp>("IsInfinity");

    // Masks
    public static readonly ElementOp LogicalAnd = ElementOp.Logical<LogicalAndOp>("LogicalAnd");
    public static readonly ElementOp LogicalOr = ElementOp.Logical<LogicalOrOp>("LogicalOr");
    public static readonly ElementOp LogicalXor = ElementOp.Logical<LogicalXorOp>("LogicalXor");
    public static readonly ElementOp LogicalNot = ElementOp.LogicalUnary<LogicalNotOp>("LogicalNot");
    public static readonly ElementOp MaskToValue = ElementOp.FromMask<MaskToValueOp>("MaskToValue");
    public static readonly ElementOp ValueToMask = ElementOp.Test<ValueToMaskOp>("ValueToMask", integers: true);

    // Functions
    public static readonly ElementOp Exp = ElementOp.Unary<ExpOp>("Exp");
    public static readonly ElementOp Exp2 = ElementOp.Unary<Exp2Op>("Exp2");
    public static readonly ElementOp ExpM1 = ElementOp.Unary<ExpM1Op>("ExpM1");
    public static readonly ElementOp Log = ElementOp.Unary<LogOp>("Log");
    public static readonly ElementOp Log2 = ElementOp.Unary<Log2Op>("Log2");
    public static readonly ElementOp Log10 = ElementOp.Unary<Log10Op>("Log10");
    public static readonly ElementOp LogP1 = ElementOp.Unary<LogP1Op>("LogP1");
    public static readonly ElementOp Sin = ElementOp.Unary<SinOp>("Sin");
    public static readonly ElementOp Cos = ElementOp.Unary<CosOp>("Cos");
    public static readonly ElementOp Tan = ElementOp.Unary<TanOp>("Tan");
    public static readonly ElementOp Tanh = ElementOp.Unary<TanhOp>("Tanh");
    public static readonly ElementOp Sigmoid = ElementOp.Unary<SigmoidOp>("Sigmoid");
    public static readonly ElementOp Erf = ElementOp.Unary<ErfOp>("Erf");
    public static readonly ElementOp Softplus = ElementOp.Unary<SoftplusOp>("Softplus");
    public static readonly ElementOp Silu = ElementOp.Unary<SiluOp>("Silu");
    public static readonly ElementOp Gelu = ElementOp.Unary<GeluOp>("Gelu");
    public static readonly ElementOp GeluSlope = ElementOp.Unary<GeluSlopeOp>("GeluSlope");
    public static readonly ElementOp GeluTanh = ElementOp.Unary<GeluTanhOp>("GeluTanh");
    public static readonly ElementOp Pow = ElementOp.Binary<PowOp>("Pow");
    public static readonly ElementOp Sinh = ElementOp.Unary<SinhOp>("Sinh");
    public static readonly ElementOp Cosh = ElementOp.Unary<CoshOp>("Cosh");
    public static readonly ElementOp Asinh = ElementOp.Unary<AsinhOp>("Asinh");
    public static readonly ElementOp Acosh = ElementOp.Unary<AcoshOp>("Acosh");
    public static readonly ElementOp Atanh = ElementOp.Unary<AtanhOp>("Atanh");
    public static readonly ElementOp Asin = ElementOp.Unary<AsinOp>("Asin");
    public static readonly ElementOp Acos = ElementOp.Unary<AcosOp>("Acos");
    public static readonly ElementOp Atan = ElementOp.Unary<AtanOp>("Atan");
    public static readonly ElementOp Cbrt = ElementOp.Unary<CbrtOp>("Cbrt");
    public static readonly ElementOp Gamma = ElementOp.Unary<GammaOp>("Gamma");
    public static readonly ElementOp LogGamma = ElementOp.Unary<LogGammaOp>("LogGamma");
    public static readonly ElementOp Digamma = ElementOp.Unary<DigammaOp>("Digamma");
    public static readonly ElementOp Trigamma = ElementOp.Unary<TrigammaOp>("Trigamma");
    public static readonly ElementOp ErfInv = ElementOp.Unary<ErfInvOp>("ErfInv");
    public static readonly ElementOp Selu = ElementOp.Unary<SeluOp>("Selu");
    public static readonly ElementOp Mish = ElementOp.Unary<MishOp>("Mish");
    public static readonly ElementOp LogSigmoid = ElementOp.Unary<LogSigmoidOp>("LogSigmoid");
    public static readonly ElementOp Softsign = ElementOp.Unary<SoftsignOp>("Softsign");
    public static readonly ElementOp Atan2 = ElementOp.Binary<Atan2Op>("Atan2");
    public static readonly ElementOp Hypot = ElementOp.Binary<HypotOp>("Hypot");
    public static readonly ElementOp Elu = ElementOp.Binary<EluOp>("Elu");
    public static readonly ElementOp LogAddExp = ElementOp.Binary<LogAddExpOp>("LogAddExp");

    /// <summary>All of them, in the order of this file.</summary>
    public static IReadOnlyList<ElementOp> All { get; } =
    [
        Add, Subtract, Multiply, Divide, FloorDivide, Mod, MultiplyAdd, FusedMultiplyAdd, Negate, Abs, Sign, Square, Cube, OneMinusSquare, Reciprocal, Sqrt,
        ReciprocalSqrt, AbsoluteDifference, ScaledDifference, Lerp,
        Floor, Ceiling, Round, Truncate, RoundToFloat16, RoundToBFloat16,
        Maximum, Minimum, Clip, CopySign, Relu, LeakyRelu, Huber, SmoothL1, HardSigmoid, Where,
        Equal, NotEqual, Greater, GreaterOrEqual, Less, LessOrEqual, IsNaN, IsFinite, IsInfinity,
        LogicalAnd, LogicalOr, LogicalXor, LogicalNot, MaskToValue, ValueToMask,
        Exp, Exp2, ExpM1, Log, Log2, Log10, LogP1, Sin, Cos, Tan, Tanh, Sigmoid, Erf, Softplus, Silu, Gelu, GeluSlope, GeluTanh, Pow,
        Sinh, Cosh, Asinh, Acosh, Atanh, Asin, Acos, Atan, Cbrt, Gamma,
        LogGamma, Digamma, Trigamma, ErfInv, Selu, Mish, LogSigmoid, Softsign, Atan2, Hypot, Elu, LogAddExp,
    ];
}
