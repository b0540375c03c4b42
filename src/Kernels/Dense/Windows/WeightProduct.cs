using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>
/// The products of <see cref="ConvolutionWeights{T}"/> without packed patches: the planes are staged with the channels last, [z, y, x, channel], once for all
/// taps. Then a row of the right operand, (taps along x, channels) at one position, is contiguous, and a micro-kernel reads it at base + offset(position). The
/// same bits as by packed panels.
/// </summary>
internal unsafe struct WeightProduct<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // What it costs to pack a row of a panel, in rows of the product.
    private const nint PackingRows = 12;
    private const nint ChannelStep = 16;

    private readonly WindowShape _shape;
    private readonly PatchAxis _z;
    private readonly PatchAxis _y;
    private readonly PatchAxis _x;

    // Taps along x that lie side by side, and how many such runs there are.
    private readonly nint _runTaps;
    private readonly nint _runs;
    private readonly T* _x0;
    private readonly T* _dy;

    public WeightProduct(in WindowShape s, T* x, T* dy)
    {
        _shape = s;
        _x0 = x;
        _dy = dy;
        (_z, _y, _x) = (PatchAxis.Forward(s, 0), PatchAxis.Forward(s, 1), PatchAxis.Forward(s, 2));
        _runTaps = s.Dilation[2] == 1 ? s.Kernel[2] : 1;
        _runs = (nint)s.Taps / _runTaps;
    }

    /// <summary>Whether this is less work than by packed panels.</summary>
    public readonly bool IsBetter
    {
        get
        {
            nint length = MicroKernels.For<T>().VectorLength, rows = _shape.OutChannels, run = _runTaps * _shape.InChannels;
            return rows >= 4 && (run + length - 1) / length * _runs * rows <= (run * _runs + length - 1) / length * (rows + PackingRows);
        }
    }

    /// <summary>The finest parts of the channels.</summary>
    public readonly nint ChannelParts => Math.Max(1, _shape.InChannels / ChannelStep);

    /// <summary>Elements of the staged planes of one channel.</summary>
    public readonly nint Positions => (nint)_z.Span * _y.Span * _x.Span;

    /// <summary>
    /// sums = the products of the images from <paramref name="image"/> to <paramref name="end"/>, <paramref name="joined"/> at a time, of the rows of some tiles and
    /// of some channels: [row, tap, channel], dense.
    /// </summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Run(nint group, nint image, nint end, nint joined, nint row0, nint row1, nint tileRows, nint channel0, nint channel1, T* sums)
    {
        var kernels = MicroKernels.For<T>();
        nint channels = channel1 - channel0, pixels = (nint)_shape.OutputSize, stride = kernels.PackedStride, tiles = (row1 - row0 + tileRows - 1) / tileRows;
        nint run = _runTaps * channels, panel = run <= kernels.VectorLength ? kernels.VectorLength : 2 * kernels.VectorLength, ldc = run * _runs;
        using var panels = new NativeScratch(tiles * joined * pixels * stride * sizeof(T));
        using var planes = new NativeScratch((joined * Positions * channels + panel) * sizeof(T) + 64);
        using var table = new NativeScratch((joined * pixels + _runs) * sizeof(nint));
        T* packed = (T*)panels.Pointer, staged = (T*)planes.Pointer;
        var offsets = (nint*)table.Pointer;
        var starts = offsets + joined * pixels;
        WriteOffsets(joined, channels, offsets, starts);
        byte* space = stackalloc byte[GemmKernels<T>.TileBytes];
        var aside = (T*)(((nint)space + 63) & ~63);
        var plain = new Epilogue<T>(T.One);
        var epilogue = plain;
        for (var first = image; first < end; first += joined)
        {
            nint images = Math.Min(joined, end - first), inner = images * pixels, depth = GemmProblem<T>.BlockDepth(inner);
            for (nint i = 0; i < images; i++)
            {
                Pack(group, first + i, row0, row1, tileRows, inner, packed + i * pixels * stride);
                Stage(group, first + i, channel0, channels, staged + i * Positions * channels);
            }

            for (nint k = 0; k < inner; k += depth)
            {
                epilogue.Accumulate = k > 0 || first > image;
                var length = Math.Min(depth, inner - k);
                for (nint tile = 0; tile < tiles; tile++)
                {
                    var height = Math.Min(tileRows, row1 - row0 - tile * tileRows);
                    T* a = packed + (tile * inner + k) * stride;
                    for (nint r = 0; r < _runs; r++)
                    {
                        T* b = staged + starts[r], c = sums + tile * tileRows * ldc + r * run;
                        for (nint j = 0; j < run; j += panel)
                        {
                            var width = Math.Min(panel, run - j);
                            var kernel = kernels.Gathered(width <= kernels.VectorLength ? 1 : 2, height);
                            if (width == panel || width == kernels.VectorLength)
                            {
                                kernel(length, a, stride, b + j, (nint)(offsets + k), c + j, ldc, &epilogue);
                                continue;
                            }

                            kernel(length, a, stride, b + j, (nint)(offsets + k), aside, panel, &plain);
                            kernels.Edge(aside, panel, height, width, c + j, ldc, &epilogue);
                        }
                    }
                }
            }
        }
    }

    /// <summary>dw[row, channel, tap] = sums[row, tap, channel] for some rows and channels of a group.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Finish(nint group, nint row0, nint row1, nint channel0, nint channel1, T* sums, T* dw)
    {
        var kernels = MicroKernels.For<T>();
        nint taps = (nint)_shape.Taps, channels = channel1 - channel0, stride = (taps + 15) & ~15;
        using var scratch = new NativeScratch(taps == 1 ? 0 : channels * stride * sizeof(T));
        T* turned = (T*)scratch.Pointer;
        for (var row = row0; row < row1; row++, sums += taps * channels)
        {
            T* to = dw + ((group * _shape.OutChannels + row) * _shape.InChannels + channel0) * taps;
            if (taps == 1)
            {
                new ReadOnlySpan<T>(sums, (int)channels).CopyTo(new Span<T>(to, (int)channels));
                continue;
            }

            kernels.Transpose(sums, channels, taps, channels, turned, stride);
            Compact(turned, stride, channels, taps, to, to + channels * taps);
        }
    }

    /// <summary>Rows of some elements, moved together; whole registers, none past the end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Compact(T* from, nint stride, nint rows, nint elements, T* to, T* end)
    {
        nint step = 64 / sizeof(T);
        for (nint r = 0; r < rows; r++, from += stride, to += elements)
        {
            for (nint i = 0; i < elements; i += step)
            {
                if (to + i + step <= end) Vector512.Store(Vector512.Load((byte*)(from + i)), (byte*)(to + i));
                else Buffer.MemoryCopy(from + i, to + i, (elements - i) * sizeof(T), Math.Min(step, elements - i) * sizeof(T));
            }
        }
    }

    /// <summary>Where the positions of the joined images, and the runs of taps, begin in the staged planes.</summary>
    private readonly void WriteOffsets(nint joined, nint channels, nint* offsets, nint* starts)
    {
        nint rowLength = _x.Span * channels, layer = _y.Span * rowLength;
        for (nint i = 0; i < joined; i++)
        {
            for (nint z = 0; z < _z.Grid; z++)
            {
                for (nint y = 0; y < _y.Grid; y++)
                {
                    var row = i * Positions * channels + z * _z.Step * layer + y * _y.Step * rowLength;
                    for (nint x = 0; x < _x.Grid; x++) *offsets++ = row + x * _x.Step * channels;
                }
            }
        }

        for (nint z = 0; z < _z.Taps; z++)
        {
            for (nint y = 0; y < _y.Taps; y++)
            {
                for (nint x = 0; x < _x.Taps; x += _runTaps) *starts++ = z * _z.Increment * layer + y * _y.Increment * rowLength + x * _x.Increment * channels;
            }
        }
    }

    /// <summary>The gradients of the output of one image, as panels: the positions of all joined images follow each other.</summary>
    private readonly void Pack(nint group, nint image, nint row0, nint row1, nint tileRows, nint inner, T* packed)
    {
        var kernels = MicroKernels.For<T>();
        nint pixels = (nint)_shape.OutputSize, stride = kernels.PackedStride;
        T* dy = _dy + (image * _shape.Groups + group) * _shape.OutChannels * pixels;
        for (var row = row0; row < row1; row += tileRows, packed += inner * stride)
            kernels.Transpose(dy + row * pixels, pixels, Math.Min(tileRows, row1 - row), pixels, packed, stride);
    }

    /// <summary>Some channels of one image, with the padding, as [z, y, x, channel].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Stage(nint group, nint image, nint channel0, nint channels, T* staged)
    {
        var kernels = MicroKernels.For<T>();
        nint plane = (nint)_shape.InputSize, stride = (channels + 15) & ~15, length = _x.Span;
        nint left = Math.Clamp(-_x.Low, 0, length), from = Math.Max(0, _x.Low), count = Math.Clamp(_x.Source - from, 0, length - left);
        T* source = _x0 + ((image * _shape.Groups + group) * _shape.InChannels + channel0) * plane + from;
        using var scratch = new NativeScratch(stride == channels ? 0 : count * stride * sizeof(T));
        T* turned = (T*)scratch.Pointer;
        for (var z = _z.Low; z < _z.Low + _z.Span; z++)
        {
            for (var y = _y.Low; y < _y.Low + _y.Span; y++, staged += length * channels)
            {
                if ((uint)z >= (uint)_z.Source || (uint)y >= (uint)_y.Source || count == 0)
                {
                    new Span<T>(staged, (int)(length * channels)).Clear();
                    continue;
                }

                T* row = source + ((nint)z * _y.Source + y) * _x.Source, to = staged + left * channels;
                new Span<T>(staged, (int)(left * channels)).Clear();
                if (stride == channels) kernels.Transpose(row, plane, channels, count, to, stride);
                else
                {
                    kernels.Transpose(row, plane, channels, count, turned, stride);
                    Compact(turned, stride, count, channels, to, to + count * channels + 64 / sizeof(T));
                }

                new Span<T>(to + count * channels, (int)((length - left - count) * channels)).Clear();
            }
        }
    }
}
