using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// The gradient of the filters, dw[o, (c, t)] = Σ over images and positions of dy[n, o, p] · patch[n, c, t, p]: matrix products whose inner dimension is
/// (image, position), by <see cref="WeightProduct{T}"/> or by packed panels; of filters over one channel (depthwise) dot products, by <see cref="TapSums"/>. Small
/// filters are summed in a number of segments of the batch that depends on the shape only, so that threads change no bit.
/// </summary>
internal unsafe struct ConvolutionWeights<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // Images are joined until this many positions lie along the inner dimension.
    private const nint JoinedDepth = 384;
    private const long SegmentBytes = 4 << 20;
    private const int MaxSegments = 16;
    private const nint MinRows = 4;
    private const nint Piece = 2048;

    private WindowShape _shape;
    private PatchMap _map;
    private nint* _tapOffsets;
    private T* _x;
    private T* _dy;
    private T* _sums;
    private nint _images;
    private nint _blocksPerSegment;
    private int _segments;
    private bool _parallelProduct;
    private T* _dw;
    private nint _filters;
    private WeightProduct<T> _direct;
    private ChannelTapSums<T> _channels;
    private nint _tileRows;
    private nint _rowsPerPart;
    private nint _rowParts;
    private nint _channelsPerPart;
    private nint _channelParts;

    /// <summary>Overwrites dw.</summary>
    public static void Run(in WindowShape s, T* x, T* dy, T* dw)
    {
        nint filters = (nint)s.Groups * s.OutChannels * s.InChannels * (nint)s.Taps, pixels = (nint)s.OutputSize;
        if (filters == 0) return;
        if (pixels == 0 || s.Batch == 0)
        {
            new Span<T>(dw, checked((int)filters)).Clear();
            return;
        }

        if (typeof(T) == typeof(float) && WinogradWeights.TryRun(s, (float*)x, (float*)dy, (float*)dw)) return;
        var map = new PatchMap(PatchAxis.Forward(s, 0), PatchAxis.Forward(s, 1), PatchAxis.Forward(s, 2));
        if (s.Batch == 1 && s.OutChannels >= MinRows && PatchProduct<T>.IsMatrix(map, 1))
        {
            nint size = (nint)s.OutChannels * s.InChannels;
            for (nint g = 0; g < s.Groups; g++)
                Gemm.Run(false, true, s.OutChannels, s.InChannels, pixels, T.One, dy + g * s.OutChannels * pixels, pixels, x + g * s.InChannels * pixels, pixels, T.Zero, dw + g * size, s.InChannels);
            return;
        }

        using var table = new NativeScratch(TapSums.RoundUp(map.Taps) * sizeof(nint));
        map.WriteTapOffsets((nint*)table.Pointer);
        var images = Math.Min(s.Batch, (JoinedDepth + pixels - 1) / pixels);
        var blocks = (s.Batch + images - 1) / images;
        var segments = (int)Math.Clamp(SegmentBytes / (filters * sizeof(T)), 1, Math.Min(MaxSegments, blocks));
        var perSegment = (blocks + segments - 1) / segments;
        segments = (int)((blocks + perSegment - 1) / perSegment);
        var direct = new WeightProduct<T>(s, x, dy);
        var job = new ConvolutionWeights<T>
        {
            _shape = s,
            _map = map,
            _tapOffsets = (nint*)table.Pointer,
            _x = x,
            _dy = dy,
            _dw = dw,
            _filters = filters,
            _images = images,
            _blocksPerSegment = perSegment,
            _segments = segments,
            _direct = direct,
        };
        using var scratch = new NativeScratch(segments == 1 ? 0 : segments * filters * sizeof(T));
        job._sums = segments == 1 ? dw : (T*)scratch.Pointer;
        if (s.InChannels == 1 && s.OutChannels < MinRows) job.RunDepthwise();
        else if (direct.IsBetter) job.RunDirect();
        else job.RunPacked();
    }

    private void RunPacked()
    {
        var chunks = _segments * _shape.Groups;
        _parallelProduct = chunks < WorkerPool.Threads;
        if (_parallelProduct)
        {
            for (var i = 0; i < chunks; i++) Segment(i);
        }
        else WorkerPool.Run(chunks, &Chunk, Unsafe.AsPointer(ref this));
        if (_segments > 1) AddSegments(_dw);
    }

    private void RunDepthwise()
    {
        if (ChannelTapSums<T>.IsDepthwise(_shape))
        {
            _channels = new ChannelTapSums<T>(_shape, _map);
            if (_channels.IsBetter)
            {
                var groups = (_shape.Groups + ChannelStage<T>.Channels - 1) / ChannelStage<T>.Channels;
                WorkerPool.Run(_segments * groups, &ChannelsChunk, Unsafe.AsPointer(ref this));
                if (_segments > 1) AddSegments(_dw);
                return;
            }
        }

        nint padded = TapSums.RoundUp(_map.Taps);
        new Span<nint>(_tapOffsets + _map.Taps, (int)(padded - _map.Taps)).Fill(_tapOffsets[0]);
        WorkerPool.Run(_segments * _shape.Groups, &DepthwiseChunk, Unsafe.AsPointer(ref this));
        if (_segments > 1) AddSegments(_dw);
    }

    private void RunDirect()
    {
        nint rows = _shape.OutChannels, maxRows = MicroKernels.For<T>().MaxRows, tiles = (rows + maxRows - 1) / maxRows, channels = _shape.InChannels;
        var flops = 2.0 * _filters * _shape.OutputSize * _shape.Batch;
        var inner = (nint)_shape.OutputSize * _shape.Batch;
        var steps = _segments == 1 ? _direct.ChannelParts : 1;
        var division = new PartDivision(flops, (nint)_segments * _shape.Groups, _segments == 1 ? tiles : 1, steps, rows * inner, channels * _direct.Positions * _shape.Batch);
        _tileRows = (rows + tiles - 1) / tiles;
        _rowsPerPart = (tiles + division.Rows - 1) / division.Rows * _tileRows;
        _rowParts = (rows + _rowsPerPart - 1) / _rowsPerPart;
        _channelsPerPart = division.Columns == 1 ? channels : (steps + division.Columns - 1) / division.Columns * 16;
        _channelParts = (channels + _channelsPerPart - 1) / _channelsPerPart;
        WorkerPool.Run((int)(_segments * _shape.Groups * _rowParts * _channelParts), &DirectChunk, Unsafe.AsPointer(ref this));
        if (_segments == 1) return;
        AddSegments(_sums);
        for (nint g = 0; g < _shape.Groups; g++) _direct.Finish(g, 0, rows, 0, channels, _sums + g * rows * channels * _map.Taps, _dw);
    }

    /// <summary>sum = the first segment + the second + ….</summary>
    private readonly void AddSegments(T* sum)
    {
        for (nint i = 0; i < _filters; i++)
        {
            var value = _sums[i];
            for (nint j = 1; j < _segments; j++) value += _sums[j * _filters + i];
            sum[i] = value;
        }
    }

    private static void Chunk(void* context, int chunk) => Unsafe.AsRef<ConvolutionWeights<T>>(context).Segment(chunk);

    private static void DepthwiseChunk(void* context, int chunk) => Unsafe.AsRef<ConvolutionWeights<T>>(context).DepthwiseSegment(chunk);

    private static void ChannelsChunk(void* context, int chunk)
    {
        // A copy: what other threads write may lie beside the original.
        var job = Unsafe.AsRef<ConvolutionWeights<T>>(context);
        var (group, segment) = Math.DivRem((nint)chunk, job._segments);
        nint perSegment = job._blocksPerSegment * job._images, channel = group * ChannelStage<T>.Channels;
        job._channels.Run(job._x, job._dy, segment * perSegment, Math.Min(job._shape.Batch, (segment + 1) * perSegment), channel, job._sums + segment * job._filters + channel * job._map.Taps);
    }

    private static void DirectChunk(void* context, int chunk)
    {
        // A copy: what other threads write may lie beside the original.
        var job = Unsafe.AsRef<ConvolutionWeights<T>>(context);
        job.DirectPart(chunk);
    }

    /// <summary>Some rows and channels of a group in one segment; the whole group where there are several segments.</summary>
    private readonly void DirectPart(nint part)
    {
        nint parts = _rowParts * _channelParts, group = part / parts % _shape.Groups, segment = part / parts / _shape.Groups;
        nint row0 = part % _rowParts * _rowsPerPart, row1 = Math.Min(_shape.OutChannels, row0 + _rowsPerPart);
        nint channel0 = part / _rowParts % _channelParts * _channelsPerPart, channel1 = Math.Min(_shape.InChannels, channel0 + _channelsPerPart);
        nint size = (row1 - row0) * (channel1 - channel0) * _map.Taps, first = segment * _blocksPerSegment * _images;
        using var scratch = new NativeScratch(_segments == 1 ? size * sizeof(T) : 0);
        T* sums = _segments == 1 ? (T*)scratch.Pointer : _sums + segment * _filters + group * size;
        var end = Math.Min(_shape.Batch, first + _blocksPerSegment * _images);
        _direct.Run(group, first, end, _images, row0, row1, _tileRows, channel0, channel1, sums);
        if (_segments == 1) _direct.Finish(group, row0, row1, channel0, channel1, sums, _dw);
    }

    /// <summary>The few filters over one channel in one segment.</summary>
    private readonly void DepthwiseSegment(int chunk)
    {
        nint rows = _shape.OutChannels, taps = _map.Taps, pixels = _map.Pixels, plane = (nint)_shape.InputSize, size = TapSums.Size(taps);
        nint groups = _shape.Groups, group = chunk % groups, segment = chunk / groups, first = segment * _blocksPerSegment * _images;
        using var staged = new NativeScratch(_map.Staged ? _map.PlaneSize * sizeof(T) : 0);
        using var chains = new NativeScratch(rows * size * sizeof(T));
        var sums = (T*)chains.Pointer;
        new Span<T>(sums, (int)(rows * size)).Clear();
        for (var image = first; image < Math.Min(_shape.Batch, first + _blocksPerSegment * _images); image++)
        {
            T* x = _x + (image * groups + group) * plane, dy = _dy + (image * groups + group) * rows * pixels;
            if (_map.Staged)
            {
                _map.Stage(x, (T*)staged.Pointer, T.Zero);
                x = (T*)staged.Pointer;
            }

            for (nint r = 0; r < rows; r++) TapSums.Add(_map, _tapOffsets, x, dy + r * pixels, sums + r * size);
        }

        for (nint r = 0; r < rows; r++) TapSums.Finish(sums + r * size, taps, _sums + segment * _filters + (group * rows + r) * taps);
    }

    /// <summary>One group in one segment.</summary>
    private readonly void Segment(int chunk)
    {
        nint rows = _shape.OutChannels, columns = _shape.InChannels * _map.Taps, group = chunk % _shape.Groups, segment = chunk / _shape.Groups;
        T* sums = _sums + segment * _filters + group * rows * columns;
        var first = segment * _blocksPerSegment * _images;
        var end = Math.Min(_shape.Batch, first + _blocksPerSegment * _images);
        for (var image = first; image < end; image += _images) Block(image, Math.Min(_images, end - image), group, image == first ? T.Zero : T.One, sums);
    }

    /// <summary>sums = beta · sums + dy · patchesᵀ over some images of one group.</summary>
    private readonly void Block(nint image, nint images, nint group, T beta, T* sums)
    {
        nint channels = _shape.InChannels, rows = _shape.OutChannels, pixels = _map.Pixels, depth = images * pixels;
        nint groups = _shape.Groups, plane = (nint)_shape.InputSize, columns = channels * _map.Taps;
        T* planes = _x + (image * groups + group) * channels * plane, dy = _dy + (image * groups + group) * rows * pixels;
        using var staged = new NativeScratch(_map.Staged ? images * channels * _map.PlaneSize * sizeof(T) : 0);
        using var joined = new NativeScratch(images == 1 ? 0 : rows * depth * sizeof(T));
        var imageStride = groups * channels * _map.PlaneSize;
        if (_map.Staged)
        {
            T* to = (T*)staged.Pointer;
            for (nint i = 0; i < images; i++)
            {
                for (nint c = 0; c < channels; c++, to += _map.PlaneSize) _map.Stage(planes + (i * groups * channels + c) * plane, to, T.Zero);
            }

            planes = (T*)staged.Pointer;
            imageStride = channels * _map.PlaneSize;
        }

        if (images > 1)
        {
            T* to = (T*)joined.Pointer;
            for (nint r = 0; r < rows; r++)
            {
                for (nint i = 0; i < images; i++, to += pixels)
                    Buffer.MemoryCopy(dy + (i * groups * rows + r) * pixels, to, pixels * sizeof(T), pixels * sizeof(T));
            }

            dy = (T*)joined.Pointer;
        }

        var patches = new PatchPacker<T>(_map, _tapOffsets, planes, imageStride);
        if (rows < MinRows)
        {
            FewRows(patches, rows, columns, dy, depth, beta, sums);
            return;
        }

        Gemm.RunPacked(false, rows, columns, depth, T.One, dy, depth, new TransposedPatchPacker<T>(patches), beta, sums, columns, parallel: _parallelProduct);
    }

    /// <summary>Dot products of the few rows with the patches, which are written out piece by piece.</summary>
    private static void FewRows(in PatchPacker<T> patches, nint rows, nint columns, T* dy, nint depth, T beta, T* sums)
    {
        using var lines = new NativeScratch(columns * Piece * sizeof(T));
        for (nint k = 0; k < depth; k += Piece, beta = T.One)
        {
            var length = Math.Min(Piece, depth - k);
            patches.Pack(0, columns, k, length, (T*)lines.Pointer, Piece);
            Gemm.Run(false, true, rows, columns, length, T.One, dy + k, depth, (T*)lines.Pointer, Piece, beta, sums, columns);
        }
    }
}
