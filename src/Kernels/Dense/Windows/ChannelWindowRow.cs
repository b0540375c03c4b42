using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>One row of windows over sixteen channels side by side (<see cref="ChannelStage{T}"/>): result x is one chain of fused multiply-adds over the taps in their order.</summary>
internal unsafe struct ChannelWindowRow<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int Channels = ChannelStage<T>.Channels;

    /// <summary>The element that the first tap of the first window meets.</summary>
    public T* Source;

    /// <summary>[layers, lines, taps, channel]; those between two layers are left out.</summary>
    public T* Weights;

    /// <summary>One value a channel, added last; or null.</summary>
    public T* Bias;

    public T* Result;

    /// <summary>Layers of a window that are in the source.</summary>
    public nint Layers;

    /// <summary>Lines of a layer that are in the source.</summary>
    public nint Lines;

    /// <summary>Taps of a line.</summary>
    public nint Taps;

    /// <summary>Elements from one layer, line or tap to the next.</summary>
    public nint LayerStep, LineStep, TapStep;

    /// <summary>Weights of the lines that are left out of a layer.</summary>
    public nint WeightsBetween;

    /// <summary>Elements from one window to the next, and from one result to the next.</summary>
    public nint WindowStep, ResultStep;

    /// <summary>Results.</summary>
    public nint Count;

    /// <summary>The loop for rows of so many results, as many windows at a time as fit them best; its second argument is the channel of the register.</summary>
    public static delegate*<in ChannelWindowRow<T>, nint, void> For<L>(nint count, nint windowStep)
        where L : struct, IVectorLane<L, T>
        => windowStep == Channels ? For<L, Adjacent>(count) : For<L, Apart>(count);

    private static delegate*<in ChannelWindowRow<T>, nint, void> For<L, TDistance>(nint count)
        where L : struct, IVectorLane<L, T>
        where TDistance : struct, IDistance
    {
        if (count % 7 == 0) return &Windows<L, Seven, TDistance>;
        return count switch
        {
            >= 8 => &Windows<L, Eight, TDistance>,
            >= 4 => &Windows<L, Four, TDistance>,
            3 => &Windows<L, Three, TDistance>,
            2 => &Windows<L, Two, TDistance>,
            _ => &Windows<L, One, TDistance>,
        };
    }

    // The last windows may have been done in part: the same again.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Windows<L, TCount, TDistance>(in ChannelWindowRow<T> row, nint channel)
        where L : struct, IVectorLane<L, T>
        where TCount : struct, ICount
        where TDistance : struct, IDistance
    {
        nint step = TDistance.IsAdjacent ? Channels * sizeof(T) : row.WindowStep * sizeof(T);
        nint tapStep = row.TapStep * sizeof(T), lineStep = row.LineStep * sizeof(T), layers = row.Layers, lines = row.Lines, taps = row.Taps;
        for (nint i = 0; i < row.Count; i += TCount.Value)
        {
            nint x = Math.Min(i, row.Count - TCount.Value);
            L a = L.Const(0), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
            byte* layer = (byte*)(row.Source + channel) + x * step;
            T* weights = row.Weights + channel;
            for (nint z = layers; z > 0; z--)
            {
                byte* line = layer;
                for (nint y = lines; y > 0; y--)
                {
                    byte* tap = line;
                    for (nint t = taps; t > 0; t--)
                    {
                        L w = L.Load(weights);
                        a = L.Fma(w, L.Load((T*)tap), a);
                        if (TCount.Value > 1) b = L.Fma(w, L.Load((T*)(tap + step)), b);
                        if (TCount.Value > 2) c = L.Fma(w, L.Load((T*)(tap + 2 * step)), c);
                        if (TCount.Value > 3) d = L.Fma(w, L.Load((T*)(tap + 3 * step)), d);
                        if (TCount.Value > 4) e = L.Fma(w, L.Load((T*)(tap + 4 * step)), e);
                        if (TCount.Value > 5) f = L.Fma(w, L.Load((T*)(tap + 5 * step)), f);
                        if (TCount.Value > 6) g = L.Fma(w, L.Load((T*)(tap + 6 * step)), g);
                        if (TCount.Value > 7) h = L.Fma(w, L.Load((T*)(tap + 7 * step)), h);
                        weights += Channels;
                        tap += tapStep;
                    }

                    line += lineStep;
                }

                layer += row.LayerStep * sizeof(T);
                weights += row.WeightsBetween;
            }

            if (row.Bias != null)
            {
                L bias = L.Load(row.Bias + channel);
                (a, b, c, d) = (a + bias, b + bias, c + bias, d + bias);
                (e, f, g, h) = (e + bias, f + bias, g + bias, h + bias);
            }

            T* to = row.Result + channel + x * row.ResultStep;
            nint next = row.ResultStep;
            L.Store(a, to);
            if (TCount.Value > 1) L.Store(b, to += next);
            if (TCount.Value > 2) L.Store(c, to += next);
            if (TCount.Value > 3) L.Store(d, to += next);
            if (TCount.Value > 4) L.Store(e, to += next);
            if (TCount.Value > 5) L.Store(f, to += next);
            if (TCount.Value > 6) L.Store(g, to += next);
            if (TCount.Value > 7) L.Store(h, to + next);
        }
    }

    /// <summary>How many windows are computed at a time.</summary>
    private interface ICount
    {
        static abstract int Value { get; }
    }

    private readonly struct One : ICount
    {
        public static int Value => 1;
    }

    private readonly struct Two : ICount
    {
        public static int Value => 2;
    }

    private readonly struct Three : ICount
    {
        public static int Value => 3;
    }

    private readonly struct Four : ICount
    {
        public static int Value => 4;
    }

    private readonly struct Seven : ICount
    {
        public static int Value => 7;
    }

    private readonly struct Eight : ICount
    {
        public static int Value => 8;
    }

    /// <summary>Whether a window begins where the one before has its second element: addresses are constants then.</summary>
    private interface IDistance
    {
        static abstract bool IsAdjacent { get; }
    }

    private readonly struct Adjacent : IDistance
    {
        public static bool IsAdjacent => true;
    }

    private readonly struct Apart : IDistance
    {
        public static bool IsAdjacent => false;
    }
}
