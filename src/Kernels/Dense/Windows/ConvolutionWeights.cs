using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// The gradient of the filters, dw[o, (c, t)] = Σ over images and positions of dy[n, o, p] · patch[n, c, t, p]: matrix products whose inner dimension is
/// (image, position). Small filters are summed in a number of segments of the batch that depends on the shape only, so that threads change no bit.
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

        var map = new PatchMap(PatchAxis.Forward(s, 0), PatchAxis.Forward(s, 1), PatchAxis.Forward(s, 2));
        using var table = new NativeScratch(map.Taps * sizeof(nint));
        map.WriteTapOffsets((nint*)table.Pointer);
        var images = Math.Min(s.Batch, (JoinedDepth + pixels - 1) / pixels);
        var blocks = (s.Batch + images - 1) / images;
        var segments = (int)Math.Clamp(SegmentBytes / (filters * sizeof(T)), 1, Math.Min(MaxSegments, blocks));
        var perSegment = (blocks + segments - 1) / segments;
        segments = (int)((blocks + perSegment - 1) / perSegment);
        using var scratch = new NativeScratch(segments == 1 ? 0 : segments * filters * sizeof(T));
        var job = new ConvolutionWeights<T>
        {
            _shape = s,
            _map = map,
            _tapOffsets = (nint*)table.Pointer,
            _x = x,
            _dy = dy,
            _sums = segments == 1 ? dw : (T*)scratch.Pointer,
            _images = images,
            _blocksPerSegment = perSegment,
            _segments = segments,
        };
        if (segments == 1)
        {
            job.Segment(0);
            return;
        }

        WorkerPool.Run(segments, &Chunk, &job);
        for (nint i = 0; i < filters; i++)
        {
            var sum = job._sums[i];
            for (nint j = 1; j < segments; j++) sum += job._sums[j * filters + i];
            dw[i] = sum;
        }
    }

    private static void Chunk(void* context, int segment) => ((ConvolutionWeights<T>*)context)->Segment(segment);

    private readonly void Segment(int segment)
    {
        nint rows = _shape.OutChannels, columns = _shape.InChannels * _map.Taps;
        T* sums = _sums + segment * _shape.Groups * rows * columns;
        var first = segment * _blocksPerSegment * _images;
        var end = Math.Min(_shape.Batch, first + _blocksPerSegment * _images);
        for (var image = first; image < end; image += _images)
        {
            var beta = image == first ? T.Zero : T.One;
            for (nint g = 0; g < _shape.Groups; g++) Block(image, Math.Min(_images, end - image), g, beta, sums + g * rows * columns);
        }
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

        Gemm.RunPacked(false, rows, columns, depth, T.One, dy, depth, new TransposedPatchPacker<T>(patches), beta, sums, columns, parallel: _segments == 1);
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
