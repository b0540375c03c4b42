using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Convolutions with one filter for each channel (depthwise), and their gradients with respect to the input, over sixteen channels side by side
/// (<see cref="ChannelStage{T}"/>): where rows are short, or windows step, or have many taps. The bits are those of <see cref="WindowPlanes{T}"/>.
/// </summary>
internal unsafe struct ChannelWindows<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int Channels = ChannelStage<T>.Channels;
    private const double ParallelSteps = 32 * 1024;
    private const int MostPhases = 16;
    private const int LongRow = 8;

    // Of what a band of rows reads and writes; it stays in the second-level cache.
    private const nint BandBytes = 512 * 1024;

    private WindowShape _shape;
    private Triple _target;
    private Triple _step;
    private Triple _from;
    private ChannelStage<T> _stage;
    private T* _source;
    private T* _filters;
    private T* _bias;
    private T* _result;
    private GemmFinish _finish;
    private Phase* _phases;
    private int _phaseCount;

    // The taps of all phases in their order, as many as are known: fewer than there are, where a stride is longer than the input. Null: all, in their own order.
    private nint* _tapNumbers;
    private nint _known;
    private nint _groups;
    private nint _bandRows;
    private nint _bands;
    private nint _perChunk;

    /// <summary>What <see cref="Convolution.Forward"/> computes, if this is the better way for the shape.</summary>
    public static bool TryForward(in WindowShape s, T* x, T* w, T* bias, T* y, GemmFinish finish)
    {
        if (!Takes(s)) return false;
        Phase phase = new() { Z = PatchAxis.Forward(s, 0), Y = PatchAxis.Forward(s, 1), X = PatchAxis.Forward(s, 2) };
        var job = new ChannelWindows<T>
        {
            _shape = s,
            _from = s.Input,
            _target = s.Output,
            _step = Convolution.Ones,
            _source = x,
            _filters = w,
            _bias = bias,
            _result = y,
            _finish = finish,
            _phases = &phase,
            _phaseCount = 1,
        };
        return job.TryRun();
    }

    /// <summary>What <see cref="Convolution.InputGradient"/> computes, if this is the better way for the shape.</summary>
    public static bool TryInputGradient(in WindowShape s, T* dy, T* w, T* dx, GemmFinish finish)
    {
        if (!Takes(s)) return false;
        var taps = (int)s.Taps;
        using var numberScratch = new NativeScratch(taps * sizeof(nint));
        var numbers = (nint*)numberScratch.Pointer;
        Phase* phases = stackalloc Phase[MostPhases];
        var (count, known) = (0, 0);
        var walk = new PhaseWalk(s);
        while (walk.Next(out var map, out var target))
        {
            walk.WriteTapNumbers(numbers + known);
            phases[count++] = new Phase { Z = map.Z, Y = map.Y, X = map.X, First = target.Phase, Known = known };
            known += (int)map.Taps;
        }

        var job = new ChannelWindows<T>
        {
            _shape = s,
            _from = s.Output,
            _target = s.Input,
            _step = s.Stride,
            _source = dy,
            _filters = w,
            _result = dx,
            _finish = finish,
            _phases = phases,
            _phaseCount = count,
            _tapNumbers = s.Stride.Product == 1 ? null : numbers,
            _known = known,
        };
        return job.TryRun();
    }

    private static bool Takes(in WindowShape s) => s.Groups >= ChannelStage<T>.LeastChannels && s.Stride.Product <= MostPhases && ChannelTapSums<T>.IsDepthwise(s) && !HasLongRows(s);

    // Lines of taps, or rows of 3 × 3 taps, over rows that fill a register: read as they lie.
    private static bool HasLongRows(in WindowShape s)
        => s.Stride.Product == 1 && s.Kernel[0] == 1 && (s.Kernel[1] == 1 || (s.Kernel[1] == 3 && s.Kernel[2] == 3 && s.Dilation[1] == 1)) && Math.Min(s.Input[2], s.Output[2]) >= LongRow;

    private bool TryRun()
    {
        var (low, end) = (0, _from[2]);
        for (var p = 0; p < _phaseCount; p++)
        {
            ref readonly var x = ref _phases[p].X;
            if (_phases[p].Taps == 0) continue;
            (low, end) = (Math.Min(low, x.Low), Math.Max(end, x.Low + x.Span));
        }

        _stage = new ChannelStage<T>(_from, low, end);
        nint rowBytes = (_stage.RowLength * _from[1] * _from[0] / _target[1] + (nint)_target[2] * _target[0]) * Channels * sizeof(T), unit = _step[1];
        _bandRows = Math.Min(_target[1], Math.Max(1, BandBytes / Math.Max(1, rowBytes) / unit) * unit);
        _bands = (_target[1] + _bandRows - 1) / _bandRows;
        if (_bands > 1 && _target[0] > 1) return false;
        _groups = (_shape.Groups + Channels - 1) / Channels;
        var units = _groups * _shape.Batch * _bands;
        var isParallel = WorkerPool.Threads > 1 && (double)_shape.Batch * _shape.Groups * _shape.OutputSize * _shape.Taps >= ParallelSteps;
        var chunks = isParallel ? Math.Min(units, 4 * WorkerPool.Threads) : 1;
        _perChunk = (units + chunks - 1) / chunks;
        WorkerPool.Run((int)((units + _perChunk - 1) / _perChunk), &Chunk, Unsafe.AsPointer(ref this));
        if (_bands > 1 && !_finish.IsEmpty) _finish.InvokeRows(0, (long)_shape.Batch * _shape.Groups, _target.Product);
        return true;
    }

    private static void Chunk(void* context, int chunk)
    {
        // A copy: what other threads write may lie beside the original.
        var job = Unsafe.AsRef<ChannelWindows<T>>(context);
        switch (SimdWidth.Current)
        {
            case 512:
                job.Units<Lane512<T>>(chunk * job._perChunk);
                break;
            case 256:
                job.Units<Lane256<T>>(chunk * job._perChunk);
                break;
            default:
                job.Units<Lane128<T>>(chunk * job._perChunk);
                break;
        }
    }

    /// <summary>Some bands of some images of some groups of channels, the groups outermost: their filters are packed once.</summary>
    private readonly void Units<L>(nint first)
        where L : struct, IVectorLane<L, T>
    {
        nint taps = (nint)_shape.Taps, plane = (nint)_target.Product, packed = -1, end = Math.Min(first + _perChunk, _groups * _shape.Batch * _bands);
        nint sourceRows = 0;
        for (nint row = 0; row < _target[1]; row += _bandRows)
        {
            var (from, until) = SourceRange(row, Math.Min(_target[1], row + _bandRows));
            sourceRows = Math.Max(sourceRows, until - from);
        }

        nint stagedSize = sourceRows * _from[0] * _stage.RowLength * Channels;
        using var stagedScratch = new NativeScratch(stagedSize * sizeof(T));
        using var resultScratch = new NativeScratch(_bandRows * _target[2] * _target[0] * Channels * sizeof(T));
        using var weightScratch = new NativeScratch((2 * taps + 1) * Channels * sizeof(T));
        T* staged = (T*)stagedScratch.Pointer, result = (T*)resultScratch.Pointer, weights = (T*)weightScratch.Pointer, bias = weights + taps * Channels;
        if (_stage.RowLength != _from[2]) new Span<T>(staged, checked((int)stagedSize)).Clear();
        for (var unit = first; unit < end; unit++)
        {
            nint band = unit % _bands, image = unit / _bands % _shape.Batch, group = unit / _bands / _shape.Batch;
            nint channel = group * Channels, count = Math.Min(Channels, _shape.Groups - channel);
            if (packed != group) Pack(channel, count, weights, bias);
            packed = group;
            nint to = image * _shape.Groups + channel, row0 = band * _bandRows, row1 = Math.Min(_target[1], row0 + _bandRows);
            Band<L>(to, count, row0, row1, weights, _bias == null ? null : bias, staged, result);
            if (_bands == 1 && !_finish.IsEmpty) _finish.Invoke(to, count, 0, plane);
        }
    }

    /// <summary>The weights of some channels as [phase, tap, channel], and their biases.</summary>
    private readonly void Pack(nint channel, nint count, T* weights, T* bias)
    {
        nint taps = (nint)_shape.Taps;
        T* all = _tapNumbers == null ? weights : bias + Channels;
        MicroKernels.For<T>().Transpose(_filters + channel * taps, taps, count, taps, all, Channels);
        for (nint t = 0; _tapNumbers != null && t < _known; t++) Unsafe.CopyBlockUnaligned(weights + t * Channels, all + _tapNumbers[t] * Channels, (uint)(Channels * sizeof(T)));
        for (nint c = 0; _bias != null && c < Channels; c++) bias[c] = c < count ? _bias[channel + c] : T.Zero;
    }

    /// <summary>The rows of the source that some rows of the target meet.</summary>
    private readonly (nint First, nint End) SourceRange(nint row0, nint row1)
    {
        nint first = _from[1], end = 0;
        for (var p = 0; p < _phaseCount; p++)
        {
            if (_phases[p].Taps == 0) continue;
            var (from, until) = _phases[p].Rows(row0, row1, _step[1]);
            if (from >= until) continue;
            ref readonly var y = ref _phases[p].Y;
            nint low = from * y.Step + y.Low;
            first = Math.Min(first, low);
            end = Math.Max(end, low + y.Span - (y.Grid - (until - from)) * y.Step);
        }

        first = Math.Clamp(first, 0, _from[1]);
        return (first, Math.Clamp(end, first, _from[1]));
    }

    /// <summary>Some rows of the planes of some channels of an image.</summary>
    private readonly void Band<L>(nint plane, nint count, nint row0, nint row1, T* weights, T* bias, T* staged, T* result)
        where L : struct, IVectorLane<L, T>
    {
        var (first, end) = SourceRange(row0, row1);
        nint rowStep = _stage.RowLength * Channels, layerStep = (end - first) * rowStep, width = _target[2], rows = row1 - row0, size = (nint)_target.Product;
        _stage.Run(_source + plane * (nint)_from.Product, count, first, end, staged, layerStep);
        for (var p = 0; p < _phaseCount; p++)
        {
            ref readonly var phase = ref _phases[p];
            var (from, until) = phase.Rows(row0, row1, _step[1]);
            var row = new ChannelWindowRow<T>
            {
                Bias = bias,
                Taps = phase.X.Taps,
                LayerStep = phase.Z.Increment * layerStep,
                LineStep = phase.Y.Increment * rowStep,
                TapStep = phase.X.Increment * Channels,
                WindowStep = phase.X.Step * Channels,
                ResultStep = (nint)_step[2] * Channels,
                Count = phase.X.Grid,
            };
            var windows = ChannelWindowRow<T>.For<L>(row.Count, row.WindowStep);
            for (nint z = 0; z < phase.Z.Grid; z++)
            {
                var (z0, z1) = Inside(phase.Z, z, _from[0]);
                row.Layers = z1 - z0;
                for (nint y = from; y < until; y++)
                {
                    var (y0, y1) = Inside(phase.Y, y, _from[1]);
                    row.Lines = y1 - y0;
                    row.WeightsBetween = (phase.Y.Taps - row.Lines) * row.Taps * Channels;
                    row.Weights = weights + (phase.Known + (z0 * phase.Y.Taps + y0) * row.Taps) * Channels;
                    nint layer = z * phase.Z.Step + phase.Z.First + z0 * phase.Z.Increment, line = y * phase.Y.Step + phase.Y.First + y0 * phase.Y.Increment - first;
                    row.Source = staged + layer * layerStep + line * rowStep + (phase.X.First - _stage.First) * Channels;
                    row.Result = result + (((z * _step[0] + phase.First[0]) * rows + y * _step[1] + phase.First[1] - row0) * width + phase.First[2]) * Channels;
                    for (nint c = 0; c < Channels; c += L.Count) windows(row, c);
                }
            }
        }

        CopyTranspose.Run(result, Channels, rows * width * _target[0], count, _result + plane * size + row0 * width, size);
    }

    /// <summary>The taps of a position of the grid that are not padding.</summary>
    private static (nint First, nint End) Inside(in PatchAxis axis, nint position, nint source)
    {
        nint at = position * axis.Step + axis.First, first = 0, end = axis.Taps;
        while (first < end && (nuint)(at + first * axis.Increment) >= (nuint)source) first++;
        while (end > first && (nuint)(at + (end - 1) * axis.Increment) >= (nuint)source) end--;
        return (first, end);
    }

    /// <summary>The positions of the target that meet the same taps at unit steps: all, or those of one phase of the stride.</summary>
    private struct Phase
    {
        public PatchAxis Z;
        public PatchAxis Y;
        public PatchAxis X;
        public Triple First;

        /// <summary>Taps of the phases before.</summary>
        public nint Known;

        public readonly nint Taps => (nint)Z.Taps * Y.Taps * X.Taps;

        /// <summary>The rows of the grid of these rows of the target.</summary>
        public readonly (nint First, nint End) Rows(nint row0, nint row1, nint step)
        {
            nint first = (row0 - First[1] + step - 1) / step;
            return (first, Math.Min(Y.Grid, (row1 - First[1] + step - 1) / step));
        }
    }
}
