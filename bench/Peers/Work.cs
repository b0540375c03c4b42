namespace Fusion.Peers;

/// <summary>What a case cannot do without: bytes to be read and written, and floating-point operations of matrix products and convolutions.</summary>
/// <param name="Bytes">Inputs once and results once; intermediates do not count.</param>
/// <param name="Flops">A multiplication and its addition are two.</param>
/// <param name="IsDouble">In double precision, of which a register holds half as many.</param>
internal readonly record struct Work(double Bytes, double Flops = 0, bool IsDouble = false)
{
    /// <summary>So many numbers of single precision are read or written.</summary>
    public static Work Floats(double count) => new(4 * count);

    /// <summary>A (m, k) · (k, n) product, so many times.</summary>
    public static Work Product(double m, double n, double k, double count = 1, bool isDouble = false) =>
        new(count * ((m * k) + (k * n) + (m * n)) * (isDouble ? 8 : 4), 2 * count * m * n * k, isDouble);

    /// <summary>The same so many times.</summary>
    public static Work operator *(double times, Work work) => work with { Bytes = times * work.Bytes, Flops = times * work.Flops };
}
