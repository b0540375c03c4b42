namespace Fusion.Kernels;

/// <summary>One input, which is a value or a mask.</summary>
internal sealed unsafe class UnaryElementOp<TOp>(string name, int maskInputs, bool isMask, bool integers) : ElementOp(name, 1, maskInputs, isMask, integers)
    where TOp : struct, IUnaryOp
{
    public override TreeLane Emit(ReadOnlySpan<TreeLane> inputs) => TOp.Invoke(inputs[0]);

    private protected override int CountOperators() => CountLane.Count(() => TOp.Invoke<CountLane>(default));

    private protected override delegate*<nint, long, long, int, void> Loop<L, T>() => (IsMaskInput(0), IsMask) switch
    {
        (false, false) => &ElementLoops.Unary<TOp, L, T, ValueOperand<L, T>, ValueOperand<L, T>>,
        (false, true) => &ElementLoops.Unary<TOp, L, T, ValueOperand<L, T>, MaskOperand<L, T>>,
        (true, false) => &ElementLoops.Unary<TOp, L, T, MaskOperand<L, T>, ValueOperand<L, T>>,
        (true, true) => &ElementLoops.Unary<TOp, L, T, MaskOperand<L, T>, MaskOperand<L, T>>,
    };
}

/// <summary>Two inputs, both values or both masks.</summary>
internal class BinaryElementOp<TOp>(string name, int maskInputs, bool isMask, bool integers) : ElementOp(name, 2, maskInputs, isMask, integers)
    where TOp : struct, IBinaryOp
{
    public override TreeLane Emit(ReadOnlySpan<TreeLane> inputs) => TOp.Invoke(inputs[0], inputs[1]);

    private protected override int CountOperators() => CountLane.Count(() => TOp.Invoke<CountLane>(default, default));

    private protected override unsafe delegate*<nint, long, long, int, void> Loop<L, T>() => (IsMaskInput(0), IsMask) switch
    {
        (false, false) => &ElementLoops.Binary<TOp, L, T, ValueOperand<L, T>, ValueOperand<L, T>>,
        (false, true) => &ElementLoops.Binary<TOp, L, T, ValueOperand<L, T>, MaskOperand<L, T>>,
        _ => &ElementLoops.Binary<TOp, L, T, MaskOperand<L, T>, MaskOperand<L, T>>,
    };
}

/// <summary>Three inputs, of which the first may be a mask.</summary>
internal sealed unsafe class TernaryElementOp<TOp>(string name, int maskInputs, bool integers) : ElementOp(name, 3, maskInputs, false, integers)
    where TOp : struct, ITernaryOp
{
    public override TreeLane Emit(ReadOnlySpan<TreeLane> inputs) => TOp.Invoke(inputs[0], inputs[1], inputs[2]);

    private protected override int CountOperators() => CountLane.Count(() => TOp.Invoke<CountLane>(default, default, default));

    private protected override delegate*<nint, long, long, int, void> Loop<L, T>() => IsMaskInput(0)
        ? &ElementLoops.Ternary<TOp, L, T, MaskOperand<L, T>>
        : &ElementLoops.Ternary<TOp, L, T, ValueOperand<L, T>>;
}

/// <summary>Division rounded down: vector loops for floating point, scalar ones for integers.</summary>
internal sealed unsafe class DivisionElementOp<TOp>(string name, bool remainder) : BinaryElementOp<TOp>(name, 0, false, true)
    where TOp : struct, IBinaryOp
{
    public override TreeLane Emit(ReadOnlySpan<TreeLane> inputs)
    {
        if (!TreeLane.IsInteger) return base.Emit(inputs);
        return remainder ? TreeLane.Mod(inputs[0], inputs[1]) : TreeLane.FloorDivide(inputs[0], inputs[1]);
    }

    private protected override nint Resolve(DType type, int width)
    {
        delegate*<nint, long, long, int, void> loop = type switch
        {
            DType.Int32 => remainder ? &IntegerDivision.Mod<int> : &IntegerDivision.FloorDivide<int>,
            DType.Int64 => remainder ? &IntegerDivision.Mod<long> : &IntegerDivision.FloorDivide<long>,
            DType.UInt8 => remainder ? &IntegerDivision.Mod<byte> : &IntegerDivision.FloorDivide<byte>,
            _ => null,
        };
        return loop != null ? (nint)loop : base.Resolve(type, width);
    }
}
