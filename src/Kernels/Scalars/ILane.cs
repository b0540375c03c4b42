namespace Fusion.Kernels;

/// <summary>
/// What a scalar formula is written over: one SIMD register of floating-point numbers, or the expression tree of one.
/// A formula is one generic method <c>static L F&lt;L&gt;(L x) where L : struct, ILane&lt;L&gt;</c>; run on <c>Lane512</c> and its
/// narrower sisters it is the eager loop, run on <c>TreeLane</c> it writes its own expression tree. Every operation is exactly one IEEE
/// operation on each element, so that all widths and the tree give the same bits.
/// </summary>
/// <remarks>
/// Which of two NaNs an operation passes on (sign and payload) depends on the operand order of the machine code and is not defined.
/// Masks are values of <typeparamref name="L"/> whose elements have all bits set or none.
/// </remarks>
internal interface ILane<L>
    where L : struct, ILane<L>
{
    /// <summary>The element is 64 bits wide (double), not 32 (float). A constant for the JIT: formulas branch on it.</summary>
    static abstract bool Is64 { get; }

    /// <summary>The constant, rounded to the element type, in every element.</summary>
    static abstract L Const(double value);

    /// <summary>The constant with this bit pattern (the low 32 bits for float) in every element.</summary>
    static abstract L Bits(long pattern);

    static abstract L operator +(L a, L b);
    static abstract L operator -(L a, L b);
    static abstract L operator *(L a, L b);
    static abstract L operator /(L a, L b);
    static abstract L operator -(L a);

    /// <summary>a·b + c, rounded once.</summary>
    static abstract L Fma(L a, L b, L c);

    /// <summary>The smaller; <paramref name="b"/> when one of them is NaN or both are zeros (x86 <c>minps</c>).</summary>
    static abstract L MinNative(L a, L b);

    /// <summary>The larger; <paramref name="b"/> when one of them is NaN or both are zeros (x86 <c>maxps</c>).</summary>
    static abstract L MaxNative(L a, L b);

    /// <summary><see cref="ScaleB"/> is one instruction. A constant for the JIT: formulas branch on it, and both ways give the same bits.</summary>
    static abstract bool HasScaleB { get; }

    static abstract L Sqrt(L a);
    static abstract L Abs(L a);

    /// <summary>To the nearest integer, ties to even.</summary>
    static abstract L Round(L a);
    static abstract L Floor(L a);
    static abstract L Ceiling(L a);
    static abstract L Truncate(L a);

    /// <summary>x·2ⁿ for an integral n, |n| ≤ 252 (float) or 2044 (double), rounded once, gradual underflow and overflow right (x86 <c>vscalef</c>).</summary>
    static abstract L ScaleB(L x, L n);

    /// <summary>The exact remainder of a/b rounded towards zero, with the sign of a (C# <c>%</c>, C <c>fmod</c>).</summary>
    static abstract L Remainder(L a, L b);

    /// <summary>
    /// <paramref name="value"/>, but the function of <paramref name="x"/> where |x| is too large for a reduction in line (x86 <c>fsin</c>'s problem):
    /// these elements are computed one by one, see <see cref="AngleReduction"/>.
    /// </summary>
    static abstract L LargeAngle(AngleFunction function, L x, L value);

    /// <summary><paramref name="y"/>, but what a logarithm is where <paramref name="x"/> is not positive and finite: NaN and +∞ themselves, −∞ for 0, NaN below.</summary>
    static virtual L LogEdges(L x, L y) => Formulas.LogEdges(x, y);

    // Comparisons give masks. NaN compares false, except in NotEqual.
    static abstract L Less(L a, L b);
    static abstract L LessOrEqual(L a, L b);
    static abstract L Greater(L a, L b);
    static abstract L GreaterOrEqual(L a, L b);
    static abstract L Equal(L a, L b);
    static abstract L NotEqual(L a, L b);

    /// <summary><paramref name="a"/> where the mask is set, <paramref name="b"/> elsewhere.</summary>
    static abstract L Select(L mask, L a, L b);

    // Bitwise operations on the patterns.
    static abstract L And(L a, L b);
    static abstract L Or(L a, L b);
    static abstract L Xor(L a, L b);
    static abstract L Not(L a);

    // Integer arithmetic on the patterns (two's complement, as wide as the element).
    static abstract L AddInteger(L a, L b);
    static abstract L SubtractInteger(L a, L b);
    static abstract L ShiftLeft(L a, int count);
    static abstract L ShiftRightArithmetic(L a, int count);
    static abstract L ShiftRightLogical(L a, int count);

    /// <summary>The pattern of the signed integer equal to <paramref name="a"/>, which is integral, |a| &lt; 2^31 (float) or 2^51 (double).</summary>
    static abstract L ToInteger(L a);

    /// <summary>The value of the signed integer whose pattern this is.</summary>
    static abstract L FromInteger(L a);

    /// <summary>Marks a value that is used more than once: a variable in a tree, nothing elsewhere.</summary>
    static virtual L Let(L a) => a;
}

/// <summary>A lane that holds numbers: it can be loaded from memory and stored.</summary>
internal unsafe interface IVectorLane<L, T> : ILane<L>
    where L : struct, IVectorLane<L, T>
    where T : unmanaged
{
    /// <summary>Elements in one register.</summary>
    static abstract int Count { get; }

    static abstract L Load(T* source);
    static abstract void Store(L value, T* destination);

    /// <summary>Every element is <paramref name="value"/>.</summary>
    static abstract L Broadcast(T value);

    /// <summary>Reads <see cref="Count"/> bytes (Bool elements, 0 or not) as a mask.</summary>
    static abstract L LoadMask(byte* source);

    /// <summary>Writes a mask as <see cref="Count"/> bytes, 0 or 1.</summary>
    static abstract void StoreMask(L mask, byte* destination);
}

/// <summary>One input: <c>y = f(x)</c>.</summary>
internal interface IUnaryOp
{
    static abstract L Invoke<L>(L x) where L : struct, ILane<L>;
}

/// <summary>Two inputs: <c>z = f(x, y)</c>.</summary>
internal interface IBinaryOp
{
    static abstract L Invoke<L>(L x, L y) where L : struct, ILane<L>;
}

/// <summary>Three inputs: <c>w = f(x, y, z)</c>.</summary>
internal interface ITernaryOp
{
    static abstract L Invoke<L>(L x, L y, L z) where L : struct, ILane<L>;
}
