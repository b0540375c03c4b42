using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>
/// The gradients of filters that see one plane each, of sixteen channels side by side (<see cref="ChannelStage{T}"/>). The sums are those of <see cref="TapSums"/>, chain
/// by chain: the same bits.
/// </summary>
internal readonly unsafe struct ChannelTapSums<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int Channels = ChannelStage<T>.Channels;

    // Of what is laid out at a time; it stays in the second-level cache.
    private const long ImageBytes = 768 * 1024;

    private readonly WindowShape _shape;
    private readonly PatchMap _map;
    private readonly ChannelStage<T> _input;
    private readonly ChannelStage<T> _output;

    // Rows and layers with their padding.
    private readonly nint _layers, _rows;

    public ChannelTapSums(in WindowShape s, in PatchMap map)
    {
        _shape = s;
        _map = map;
        _input = new ChannelStage<T>(s.Input, Math.Min(0, map.X.Low), Math.Max(map.X.Source, map.X.Low + map.X.Span));
        _output = new ChannelStage<T>(s.Output, 0, s.Output[2]);
        (_layers, _rows) = (Extent(map.Z), Extent(map.Y));
    }

    /// <summary>Groups of one channel and one filter, and something to compute.</summary>
    public static bool IsDepthwise(in WindowShape s) => s is { InChannels: 1, OutChannels: 1, Batch: > 0 } && s.InputSize > 0 && s.OutputSize > 0 && s.Taps > 0;

    /// <summary>Whether there are enough channels, and their planes stay in a cache.</summary>
    public bool IsBetter => _shape.Groups >= ChannelStage<T>.LeastChannels && ImageElements * sizeof(T) <= ImageBytes;

    private long ImageElements => (_layers * _rows * _input.RowLength + _map.Pixels) * Channels;

    private nint RowStep => _input.RowLength * Channels;

    private static nint Extent(in PatchAxis axis) => Math.Max(axis.Source, axis.Low + axis.Span) - Math.Min(0, axis.Low);

    /// <summary>Writes [channel, tap] of the channels from <paramref name="channel"/> on, at most sixteen, summed over some images.</summary>
    public void Run(T* x, T* dy, nint image, nint end, nint channel, T* sums)
    {
        nint count = Math.Min(Channels, _shape.Groups - channel), taps = _map.Taps, padded = TapSums.RoundUp(taps), chains = Channels * Channels;
        nint inputSize = (nint)_shape.InputSize, outputSize = (nint)_shape.OutputSize, staged = _layers * _rows * RowStep;
        using var inputScratch = new NativeScratch(staged * sizeof(T));
        using var outputScratch = new NativeScratch(_map.Pixels * Channels * sizeof(T));
        using var chainScratch = new NativeScratch(padded * chains * sizeof(T));
        using var offsetScratch = new NativeScratch(padded * sizeof(nint));
        T* input = (T*)inputScratch.Pointer, output = (T*)outputScratch.Pointer, all = (T*)chainScratch.Pointer;
        var offsets = (nint*)offsetScratch.Pointer;
        WriteOffsets(offsets, padded);
        new Span<T>(input, checked((int)staged)).Clear();
        new Span<T>(all, checked((int)(padded * chains))).Clear();
        T* inside = input + (Math.Max(0, -_map.Z.Low) * _rows + Math.Max(0, -_map.Y.Low)) * RowStep;
        for (; image < end; image++)
        {
            nint plane = image * _shape.Groups + channel;
            _input.Run(x + plane * inputSize, count, 0, _shape.Input[1], inside, _rows * RowStep);
            _output.Run(dy + plane * outputSize, count, 0, _shape.Output[1], output, _shape.Output[1] * _output.RowLength * Channels);
            Add(offsets, padded, input, output, all);
        }

        Finish(all, taps);
        CopyTranspose.Run(all, chains, taps, count, sums, taps);
    }

    /// <summary>The elements that the taps meet at the first position; of taps that fill up the last nine those of the first one.</summary>
    private void WriteOffsets(nint* offsets, nint padded)
    {
        nint t = 0;
        for (nint z = 0; z < _map.Z.Taps; z++)
        {
            for (nint y = 0; y < _map.Y.Taps; y++)
            {
                for (nint k = 0; k < _map.X.Taps; k++, t++)
                    offsets[t] = (Place(_map.Z, z) * _rows + Place(_map.Y, y)) * RowStep + Place(_map.X, k) * Channels;
            }
        }

        for (; t < padded; t++) offsets[t] = offsets[0];
    }

    private static nint Place(in PatchAxis axis, nint tap) => axis.First + tap * axis.Increment - Math.Min(0, axis.Low);

    private void Add(nint* offsets, nint taps, T* input, T* output, T* chains)
    {
        switch (SimdWidth.Current)
        {
            case 512:
                AddAll<Lane512<T>>(offsets, taps, input, output, chains);
                break;
            case 256:
                AddAll<Lane256<T>>(offsets, taps, input, output, chains);
                break;
            default:
                AddAll<Lane128<T>>(offsets, taps, input, output, chains);
                break;
        }
    }

    private void AddAll<L>(nint* offsets, nint taps, T* input, T* output, T* chains)
        where L : struct, IVectorLane<L, T>
    {
        for (nint t = 0; t < taps; t += TapSums.Together)
        {
            for (nint chain = 0; chain < Math.Min(Channels, _map.X.Grid); chain++)
            {
                for (nint c = 0; c < Channels; c += L.Count)
                    Some<L>(offsets + t, input + chain * _map.X.Step * Channels + c, output + chain * Channels + c, _map.X.Grid - chain, chains + (t * Channels + chain) * Channels + c);
            }
        }
    }

    /// <summary>One chain, of every sixteenth column, of nine taps.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private void Some<L>(nint* offsets, T* input, T* output, nint columns, T* chains)
        where L : struct, IVectorLane<L, T>
    {
        const nint Tap = Channels * Channels;
        nint o0 = offsets[0], o1 = offsets[1], o2 = offsets[2], o3 = offsets[3], o4 = offsets[4], o5 = offsets[5], o6 = offsets[6], o7 = offsets[7], o8 = offsets[8];
        L a0 = L.Load(chains), a1 = L.Load(chains + Tap), a2 = L.Load(chains + 2 * Tap), a3 = L.Load(chains + 3 * Tap), a4 = L.Load(chains + 4 * Tap);
        L a5 = L.Load(chains + 5 * Tap), a6 = L.Load(chains + 6 * Tap), a7 = L.Load(chains + 7 * Tap), a8 = L.Load(chains + 8 * Tap);
        nint step = _map.X.Step * Channels * Channels, rowStep = _map.Y.Step * RowStep, outputRow = _map.X.Grid * Channels;
        for (nint z = 0; z < _map.Z.Grid; z++)
        {
            T* row = input + z * _map.Z.Step * _rows * RowStep;
            for (nint y = 0; y < _map.Y.Grid; y++, row += rowStep, output += outputRow)
            {
                T* x = row, d = output;
                for (nint rest = columns; rest > 0; rest -= Channels, x += step, d += Channels * Channels)
                {
                    L g = L.Load(d);
                    a0 = L.Fma(g, L.Load(x + o0), a0);
                    a1 = L.Fma(g, L.Load(x + o1), a1);
                    a2 = L.Fma(g, L.Load(x + o2), a2);
                    a3 = L.Fma(g, L.Load(x + o3), a3);
                    a4 = L.Fma(g, L.Load(x + o4), a4);
                    a5 = L.Fma(g, L.Load(x + o5), a5);
                    a6 = L.Fma(g, L.Load(x + o6), a6);
                    a7 = L.Fma(g, L.Load(x + o7), a7);
                    a8 = L.Fma(g, L.Load(x + o8), a8);
                }
            }
        }

        L.Store(a0, chains);
        L.Store(a1, chains + Tap);
        L.Store(a2, chains + 2 * Tap);
        L.Store(a3, chains + 3 * Tap);
        L.Store(a4, chains + 4 * Tap);
        L.Store(a5, chains + 5 * Tap);
        L.Store(a6, chains + 6 * Tap);
        L.Store(a7, chains + 7 * Tap);
        L.Store(a8, chains + 8 * Tap);
    }

    /// <summary>Adds the sixteen chains of every tap and channel by halves, into the first.</summary>
    private static void Finish(T* chains, nint taps)
    {
        for (nint t = 0; t < taps; t++, chains += Channels * Channels)
        {
            for (nint half = Channels / 2; half > 0; half /= 2)
            {
                for (nint i = 0; i < half * Channels; i += Vector512<T>.Count)
                    (Vector512.Load(chains + i) + Vector512.Load(chains + half * Channels + i)).Store(chains + i);
            }
        }
    }
}
