using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>
/// The three linear maps of Winograd's minimal filtering F(2×2, 3×3): a tile of 4 × 4 inputs d and a filter g of 3 × 3 give the tile of 2 × 2 outputs
/// Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A, with 16 products instead of 36. Every element is one of a register, so that tiles, or rows of a panel of filters, lie side by side.
/// </summary>
/// <remarks>Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016, section 4.1 (the matrices A, B and G).</remarks>
internal static unsafe class WinogradTransform<L>
    where L : struct, IVectorLane<L, float>
{
    /// <summary>G g Gᵀ for the filters of one tile of rows.</summary>
    /// <param name="filters">For each channel nine taps of <paramref name="rows"/> elements.</param>
    /// <param name="channels">The channels.</param>
    /// <param name="rows">Elements of a row of the panel; a multiple of a register.</param>
    /// <param name="turned">The taps are in reverse order.</param>
    /// <param name="to">The panel of the first of the sixteen products: for each channel one row.</param>
    /// <param name="step">Elements from a product's panel to the next one's.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Filters(float* filters, nint channels, nint rows, bool turned, float* to, nint step)
    {
        var half = L.Const(0.5);
        var first = turned ? 8 * rows : 0;
        var next = turned ? -rows : rows;
        for (nint c = 0; c < channels; c++, filters += 9 * rows, to += rows)
        {
            for (nint r = 0; r < rows; r += L.Count)
            {
                float* g = filters + first + r;
                Combine(half, L.Load(g), L.Load(g + 3 * next), L.Load(g + 6 * next), out var a0, out var b0, out var c0, out var d0);
                g += next;
                Combine(half, L.Load(g), L.Load(g + 3 * next), L.Load(g + 6 * next), out var a1, out var b1, out var c1, out var d1);
                g += next;
                Combine(half, L.Load(g), L.Load(g + 3 * next), L.Load(g + 6 * next), out var a2, out var b2, out var c2, out var d2);
                float* u = to + r;
                FilterRow(half, a0, a1, a2, u, step);
                FilterRow(half, b0, b1, b2, u + 4 * step, step);
                FilterRow(half, c0, c1, c2, u + 8 * step, step);
                FilterRow(half, d0, d1, d2, u + 12 * step, step);
            }
        }
    }

    /// <summary>Bᵀ d B for tiles that lie side by side in one plane.</summary>
    /// <param name="plane">The first tile's input (0, 0): of a plane that is split into its phases, (y, x) mod 2.</param>
    /// <param name="phase">Elements from a phase to the next.</param>
    /// <param name="row">Elements of a row of a phase.</param>
    /// <param name="tiles">How many; whole registers of them are read and written.</param>
    /// <param name="panel">Tiles of a panel of the products, one or two registers; the last panel has one if that is enough.</param>
    /// <param name="channel">The plane's number: the row of a panel that it becomes.</param>
    /// <param name="channels">Rows of a panel.</param>
    /// <param name="to">Where the first tile goes in the first product.</param>
    /// <param name="step">Elements from a product to the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Inputs(float* plane, nint phase, nint row, nint tiles, nint panel, nint channel, nint channels, float* to, nint step)
    {
        for (nint tile = 0; tile < tiles; tile += L.Count, plane += L.Count)
        {
            var start = tile / panel * panel;
            var width = tiles - start <= L.Count ? L.Count : panel;
            float* v = to + start * channels + channel * width + (tile - start);
            Inputs(plane, plane + phase, plane + 1, plane + phase + 1, 2 * phase, row, v, step);
        }
    }

    /// <summary>Aᵀ m A + bias: four results for each tile, each in a row of its own.</summary>
    /// <param name="products">The first product of the first tile.</param>
    /// <param name="step">Elements from a product to the next.</param>
    /// <param name="tiles">How many; whole registers of them are read and written.</param>
    /// <param name="bias">Added last, if <paramref name="biased"/>.</param>
    /// <param name="biased">Whether there is a bias.</param>
    /// <param name="results">Four rows: (0, 0), (0, 1), (1, 0), (1, 1).</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Outputs(float* products, nint step, nint tiles, float bias, bool biased, float* results)
    {
        var b = L.Broadcast(bias);
        for (nint tile = 0; tile < tiles; tile += L.Count)
        {
            float* m = products + tile;
            Sums(m, step, out var a0, out var b0);
            Sums(m + step, step, out var a1, out var b1);
            Sums(m + 2 * step, step, out var a2, out var b2);
            Sums(m + 3 * step, step, out var a3, out var b3);
            L y00 = a0 + a1 + a2, y01 = a1 - a2 - a3, y10 = b0 + b1 + b2, y11 = b1 - b2 - b3;
            if (biased) (y00, y01, y10, y11) = (y00 + b, y01 + b, y10 + b, y11 + b);
            L.Store(y00, results + tile);
            L.Store(y01, results + tiles + tile);
            L.Store(y10, results + 2 * tiles + tile);
            L.Store(y11, results + 3 * tiles + tile);
        }
    }

    /// <summary>Bᵀ d B for a row of tiles of planes with the channels last.</summary>
    /// <param name="lines">Four lines of [x, channel].</param>
    /// <param name="line">Elements of a line.</param>
    /// <param name="channels">A multiple of a register. Panels of the products have two registers of them, the last one, if that is enough.</param>
    /// <param name="count">Tiles of the row.</param>
    /// <param name="tiles">Rows of a panel.</param>
    /// <param name="tile">The row of a panel that the first tile becomes.</param>
    /// <param name="to">The first product.</param>
    /// <param name="step">Elements from a product to the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void InputsOfChannels(float* lines, nint line, nint channels, nint count, nint tiles, nint tile, float* to, nint step)
    {
        for (nint t = 0; t < count; t++, lines += 2 * channels)
        {
            for (nint c = 0; c < channels; c += L.Count)
            {
                var start = c / (2 * L.Count) * (2 * L.Count);
                var width = Math.Min(2 * L.Count, channels - start);
                float* v = to + start * tiles + (tile + t) * width + (c - start), d = lines + c;
                Inputs(d, d + channels, d + 2 * channels, d + 3 * channels, line, 2 * line, v, step);
            }
        }
    }

    /// <summary>A y Aᵀ for a row of tiles of gradients: the transpose of <see cref="Outputs"/>.</summary>
    /// <param name="lines">Two lines of [x, row].</param>
    /// <param name="line">Elements of a line.</param>
    /// <param name="rows">Rows of all panels.</param>
    /// <param name="panel">Rows of a panel.</param>
    /// <param name="count">Tiles of the row.</param>
    /// <param name="tiles">Steps of a panel.</param>
    /// <param name="tile">The step of a panel that the first tile becomes.</param>
    /// <param name="to">The first product.</param>
    /// <param name="step">Elements from a product to the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gradients(float* lines, nint line, nint rows, nint panel, nint count, nint tiles, nint tile, float* to, nint step)
    {
        for (nint t = 0; t < count; t++, lines += 2 * rows)
        {
            for (nint first = 0; first < rows; first += panel)
            {
                for (nint r = 0; r < panel; r += L.Count)
                {
                    float* y = lines + first + r, m = to + first * tiles + (tile + t) * panel + r;
                    L y00 = L.Load(y), y01 = L.Load(y + rows), y10 = L.Load(y + line), y11 = L.Load(y + line + rows);
                    GradientRow(y00, y01, m, step);
                    GradientRow(y00 + y10, y01 + y11, m + 4 * step, step);
                    GradientRow(y00 - y10, y01 - y11, m + 8 * step, step);
                    GradientRow(-y10, -y11, m + 12 * step, step);
                }
            }
        }
    }

    /// <summary>Gᵀ u G for the channels of one filter: the transpose of <see cref="Filters"/>.</summary>
    /// <param name="sums">The first product.</param>
    /// <param name="step">Elements from a product to the next.</param>
    /// <param name="channels">A multiple of a register.</param>
    /// <param name="to">[tap, channel].</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FilterGradients(float* sums, nint step, nint channels, float* to)
    {
        var half = L.Const(0.5);
        for (nint c = 0; c < channels; c += L.Count)
        {
            float* u = sums + c, g = to + c;
            Gather(half, u, step, out var a0, out var a1, out var a2);
            Gather(half, u + step, step, out var b0, out var b1, out var b2);
            Gather(half, u + 2 * step, step, out var c0, out var c1, out var c2);
            Gather(half, u + 3 * step, step, out var d0, out var d1, out var d2);
            GatherRow(half, a0, b0, c0, d0, g, channels);
            GatherRow(half, a1, b1, c1, d1, g + 3 * channels, channels);
            GatherRow(half, a2, b2, c2, d2, g + 6 * channels, channels);
        }
    }

    // A column of the filter → a column of G g.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Combine(L half, L g0, L g1, L g2, out L u0, out L u1, out L u2, out L u3)
    {
        L even = (g0 + g2) * half, odd = g1 * half;
        (u0, u1, u2, u3) = (g0, even + odd, even - odd, g2);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FilterRow(L half, L g0, L g1, L g2, float* u, nint step)
    {
        Combine(half, g0, g1, g2, out var u0, out var u1, out var u2, out var u3);
        L.Store(u0, u);
        L.Store(u1, u + step);
        L.Store(u2, u + 2 * step);
        L.Store(u3, u + 3 * step);
    }

    // Bᵀ d B for a register of tiles: the columns' first elements, the distance to the second ones, and that of the next two rows.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Inputs(float* column0, float* column1, float* column2, float* column3, nint odd, nint row, float* v, nint step)
    {
        Column(column0, column0 + odd, row, out var a0, out var b0, out var c0, out var d0);
        Column(column1, column1 + odd, row, out var a1, out var b1, out var c1, out var d1);
        Column(column2, column2 + odd, row, out var a2, out var b2, out var c2, out var d2);
        Column(column3, column3 + odd, row, out var a3, out var b3, out var c3, out var d3);
        InputRow(a0, a1, a2, a3, v, step);
        InputRow(b0, b1, b2, b3, v + 4 * step, step);
        InputRow(c0, c1, c2, c3, v + 8 * step, step);
        InputRow(d0, d1, d2, d3, v + 12 * step, step);
    }

    // A column of the tile → a column of Bᵀ d; its even rows lie in one phase, its odd rows in another.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Column(float* even, float* odd, nint row, out L t0, out L t1, out L t2, out L t3)
    {
        L d0 = L.Load(even), d1 = L.Load(odd), d2 = L.Load(even + row), d3 = L.Load(odd + row);
        (t0, t1, t2, t3) = (d0 - d2, d1 + d2, d2 - d1, d1 - d3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void InputRow(L d0, L d1, L d2, L d3, float* v, nint step)
    {
        L.Store(d0 - d2, v);
        L.Store(d1 + d2, v + step);
        L.Store(d2 - d1, v + 2 * step);
        L.Store(d1 - d3, v + 3 * step);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void GradientRow(L y0, L y1, float* m, nint step)
    {
        L.Store(y0, m);
        L.Store(y0 + y1, m + step);
        L.Store(y0 - y1, m + 2 * step);
        L.Store(-y1, m + 3 * step);
    }

    // A column of the sums → a column of Gᵀ u.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Gather(L half, float* u, nint step, out L g0, out L g1, out L g2)
        => Gather(half, L.Load(u), L.Load(u + 4 * step), L.Load(u + 8 * step), L.Load(u + 12 * step), out g0, out g1, out g2);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Gather(L half, L u0, L u1, L u2, L u3, out L g0, out L g1, out L g2)
    {
        var even = (u1 + u2) * half;
        (g0, g1, g2) = (u0 + even, (u1 - u2) * half, even + u3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void GatherRow(L half, L u0, L u1, L u2, L u3, float* g, nint tap)
    {
        Gather(half, u0, u1, u2, u3, out var g0, out var g1, out var g2);
        L.Store(g0, g);
        L.Store(g1, g + tap);
        L.Store(g2, g + 2 * tap);
    }

    // A column of the products → a column of Aᵀ m.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Sums(float* m, nint step, out L s0, out L s1)
    {
        L m0 = L.Load(m), m1 = L.Load(m + 4 * step), m2 = L.Load(m + 8 * step), m3 = L.Load(m + 12 * step);
        (s0, s1) = (m0 + m1 + m2, m1 - m2 - m3);
    }
}

/// <summary>The way back from tiles to rows.</summary>
internal static unsafe class WinogradRows
{
    /// <summary>How many elements are written at a time.</summary>
    public const int Length = 16;

    /// <summary>
    /// to = even[0], odd[0], even[1], odd[1], …: <paramref name="count"/> elements and no more, or, where they may <paramref name="spill"/>, up to
    /// <see cref="Length"/> − 1 more.
    /// </summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Interleave(float* even, float* odd, float* to, nint count, bool spill)
    {
        for (var whole = spill ? 1 : Length; count >= whole; count -= Length, even += 8, odd += 8, to += Length) Interleave(even, odd, to);
        if (count <= 0) return;
        float* last = stackalloc float[Length];
        Interleave(even, odd, last);
        for (nint i = 0; i < count; i++) to[i] = last[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Interleave(float* even, float* odd, float* to)
    {
        Vector256<uint> a = Vector256.Load((uint*)even), b = Vector256.Load((uint*)odd);
        (Vector256.WidenLower(a) | (Vector256.WidenLower(b) << 32)).AsUInt32().Store((uint*)to);
        (Vector256.WidenUpper(a) | (Vector256.WidenUpper(b) << 32)).AsUInt32().Store((uint*)to + 8);
    }
}
