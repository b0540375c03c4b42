namespace Fusion.Kernels;

/// <summary>
/// An element-wise operator of the kernels: its formula as an expression tree (<see cref="Emit"/>) and as a loop compiled ahead of time
/// (<see cref="Loop(DType, int, int)"/>), both from the one generic method of its operator struct. Instances are compared by reference; each
/// operator exists once, in <see cref="ElementOps"/>.
/// </summary>
internal abstract unsafe class ElementOp(string name, int arity, int maskInputs, bool isMask, bool supportsInteger)
{
    private const int Types = (int)DType.UInt8 + 1, Widths = 3;

    // Function pointers by element type and width, resolved at first use.
    private readonly nint[] _loops = new nint[Types * Widths];

    // Kernels that are compiled, at once or in the end, by element type (2), width (3) and scalars (8).
    private ElementKernel[]? _compiled;
    private StreamedLoop?[]? _streamed; // by element type (2) and scalars (8)
    private int _weight = -1;

    public string Name { get; } = name;

    public int Arity { get; } = arity;

    /// <summary>The output is a mask (Bool), not a number of the value type.</summary>
    public bool IsMask { get; } = isMask;

    /// <summary>There is a loop for Int32, Int64 and UInt8.</summary>
    public bool SupportsInteger { get; } = supportsInteger;

    /// <summary>Two operands in the other order give the same bits (of several NaN, whichever). Not so the larger of two numbers, where ties go to the first.</summary>
    public bool Commutes { get; private init; }

    /// <summary>Neither inputs nor output are numbers: the operator runs on bytes whatever the value type.</summary>
    public bool IsLogical => IsMask && maskInputs == (1 << Arity) - 1;

    /// <summary>The number of operators that the formula expands to, on any machine.</summary>
    public int Weight => _weight >= 0 ? _weight : _weight = CountOperators();

    /// <summary>Input <paramref name="i"/> is a mask (Bool), not a number of the value type.</summary>
    public bool IsMaskInput(int i) => ((maskInputs >> i) & 1) != 0;

    /// <summary>The operator on expression trees; needs a current <see cref="TreeBuilder"/>.</summary>
    public abstract TreeLane Emit(ReadOnlySpan<TreeLane> inputs);

    /// <summary>The eager loop at the current SIMD width; bit i of <paramref name="scalarMask"/> says that input i is one element.</summary>
    /// <remarks>
    /// A long formula comes as a compiled expression tree where that is possible: the JIT stops inlining into a method with 512 locals, which an
    /// ahead-of-time loop reaches at some 60 operators, and a tree keeps several registers in flight. So one of a shorter formula of one number takes over when
    /// the ahead-of-time loop has run for a while. The bits are the same; where a tree cannot be compiled, the loop stays.
    /// </remarks>
    public ElementKernel Loop(DType valueType, int scalarMask)
    {
        int width = SimdWidth.Current;
        if (!valueType.IsFloat || !KernelCompiler.IsAvailable) return Loop(valueType, scalarMask, width);
        if (Weight > KernelTree.PairedFrom) return Compiled(valueType, scalarMask, width);
        bool takesOver = Arity == 1 && scalarMask == 0 && KernelTree.RegistersOf(Weight, width) > 1;
        return takesOver ? Tiered(valueType, width) : Loop(valueType, scalarMask, width);
    }

    /// <summary>The ahead-of-time loop at a given width.</summary>
    public ElementKernel Loop(DType valueType, int scalarMask, int width)
    {
        if (IsLogical || valueType == DType.Bool) valueType = DType.UInt8;
        int slot = ((int)valueType * Widths) + (width >> 8);
        nint loop = _loops[slot];
        if (loop == 0) _loops[slot] = loop = Resolve(valueType, width);
        return new ElementKernel((delegate*<nint, long, long, int, void>)loop, scalarMask, Weight, Streamed(valueType, scalarMask, width));
    }

    private StreamedLoop? Streamed(DType valueType, int scalarMask, int width)
    {
        if (!valueType.IsFloat || IsMask || width < 512 || Weight > StreamedLoop.MaxOperators) return null;
        ref StreamedLoop? kept = ref (_streamed ??= new StreamedLoop?[2 * 8])[((int)valueType * 8) + scalarMask];
        return kept ??= StreamedLoop.Of(KernelSpec.Of(this, valueType == DType.Float64, scalarMask), Weight, width);
    }

    private ElementKernel Compiled(DType valueType, int scalarMask, int width)
    {
        ref ElementKernel kernel = ref Kept(valueType, scalarMask, width);
        if (!kernel.IsEmpty) return kernel;
        try
        {
            kernel = KernelCompiler.Compile(KernelSpec.Of(this, valueType == DType.Float64, scalarMask), width);
        }
        catch (KernelFailedException)
        {
            kernel = new ElementKernel(Loop(valueType, scalarMask, width).Invoke, Weight); // slower, with the same bits
        }

        return kernel;
    }

    private ElementKernel Tiered(DType valueType, int width)
    {
        ref ElementKernel kernel = ref Kept(valueType, 0, width);
        if (kernel.IsEmpty)
        {
            KernelSpec spec = KernelSpec.Of(this, valueType == DType.Float64, 0);
            kernel = new ElementKernel(new TieredLoop(Loop(valueType, 0, width).Invoke, Weight, () => KernelCompiler.BuildFastest(spec, width)));
        }

        return kernel;
    }

    // Safe among threads: of a compiled kernel only the delegate is set, one reference.
    private ref ElementKernel Kept(DType valueType, int scalarMask, int width) =>
        ref (_compiled ??= new ElementKernel[2 * Widths * 8])[((((int)valueType * Widths) + (width >> 8)) * 8) + scalarMask];

    private protected abstract int CountOperators();

    /// <summary>The instance of the loop for one lane.</summary>
    private protected abstract delegate*<nint, long, long, int, void> Loop<L, T>()
        where L : struct, IVectorLane<L, T>
        where T : unmanaged;

    private protected virtual nint Resolve(DType type, int width)
    {
        if (type.IsInteger && !SupportsInteger && !IsLogical)
            throw new DTypeException($"{Name}: there is no {type} loop. Convert the array with AsType(DType.Float32) first.");
        return (nint)((type, width) switch
        {
            (DType.Float32, 512) => Loop<Lane512<float>, float>(),
            (DType.Float32, 256) => Loop<Lane256<float>, float>(),
            (DType.Float32, 128) => Loop<Lane128<float>, float>(),
            (DType.Float64, 512) => Loop<Lane512<double>, double>(),
            (DType.Float64, 256) => Loop<Lane256<double>, double>(),
            (DType.Float64, 128) => Loop<Lane128<double>, double>(),
            (DType.Int32, 512) => Loop<Lane512<int>, int>(),
            (DType.Int32, 256) => Loop<Lane256<int>, int>(),
            (DType.Int32, 128) => Loop<Lane128<int>, int>(),
            (DType.Int64, 512) => Loop<Lane512<long>, long>(),
            (DType.Int64, 256) => Loop<Lane256<long>, long>(),
            (DType.Int64, 128) => Loop<Lane128<long>, long>(),
            (DType.UInt8, 512) => Loop<Lane512<byte>, byte>(),
            (DType.UInt8, 256) => Loop<Lane256<byte>, byte>(),
            (DType.UInt8, 128) => Loop<Lane128<byte>, byte>(),
            _ => throw new ArgumentOutOfRangeException(nameof(width), width, "SIMD widths are 128, 256 and 512."),
        });
    }

    public override string ToString() => Name;

    /// <summary>value → value</summary>
    public static ElementOp Unary<TOp>(string name, bool integers = false) where TOp : struct, IUnaryOp => new UnaryElementOp<TOp>(name, 0, false, integers);

    /// <summary>value → mask</summary>
    public static ElementOp Test<TOp>(string name, bool integers = false) where TOp : struct, IUnaryOp => new UnaryElementOp<TOp>(name, 0, true, integers);

    /// <summary>mask → value</summary>
    public static ElementOp FromMask<TOp>(string name) where TOp : struct, IUnaryOp => new UnaryElementOp<TOp>(name, 1, false, true);

    /// <summary>mask → mask</summary>
    public static ElementOp LogicalUnary<TOp>(string name) where TOp : struct, IUnaryOp => new UnaryElementOp<TOp>(name, 1, true, true);

    /// <summary>value, value → value</summary>
    public static ElementOp Binary<TOp>(string name, bool integers = false, bool commutes = false) where TOp : struct, IBinaryOp =>
        new BinaryElementOp<TOp>(name, 0, false, integers) { Commutes = commutes };

    /// <summary>value, value → mask</summary>
    public static ElementOp Comparison<TOp>(string name, bool commutes = false) where TOp : struct, IBinaryOp =>
        new BinaryElementOp<TOp>(name, 0, true, true) { Commutes = commutes };

    /// <summary>mask, mask → mask, in any order</summary>
    public static ElementOp Logical<TOp>(string name) where TOp : struct, IBinaryOp => new BinaryElementOp<TOp>(name, 3, true, true) { Commutes = true };

    /// <summary>value, value, value → value</summary>
    public static ElementOp Ternary<TOp>(string name, bool integers = false) where TOp : struct, ITernaryOp => new TernaryElementOp<TOp>(name, 0, integers);

    /// <summary>mask, value, value → value</summary>
    public static ElementOp Choice<TOp>(string name) where TOp : struct, ITernaryOp => new TernaryElementOp<TOp>(name, 1, true);
}
