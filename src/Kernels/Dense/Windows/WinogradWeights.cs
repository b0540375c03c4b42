using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// The gradient of 3 × 3 filters at unit steps with many channels: the transpose of <see cref="WinogradProduct"/> in the filters. Tiles of inputs and of gradients
/// are transformed, sixteen matrix products add up over the tiles of all images, and what they gather is transformed back at the end. Inputs and gradients are staged
/// with the channels last, so that those lie side by side in a register and every tile is a step of the inner dimension.
/// </summary>
/// <remarks>Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016. As there, unsafe operands are left to the other ways.</remarks>
internal unsafe struct WinogradWeights : IWinogradJob
{
    // Tiles of a chain of sums; part of the definition of the result.
    private const int Depth = 256;

    // The sums of a part stay in L2: it costs less to transform the inputs once more for each part.
    private const nint SumBytes = 1 << 20;

    // The registers of all widths end where the channels do.
    private const int ChannelStep = 16;

    private WindowShape _shape;
    private float* _x;
    private float* _dy;
    private float* _dw;
    private nint _tileRows;
    private nint _parts;

    /// <summary>Whether to compute this way, and then does it: overwrites dw.</summary>
    public static bool TryRun(in WindowShape s, float* x, float* dy, float* dw)
    {
        if (!Winograd.Enabled || !IsBetter(s)) return false;
        var largest = new LargestMagnitudes(x, (nint)s.Batch * s.InChannels * (nint)s.InputSize, dy, (nint)s.Batch * s.OutChannels * (nint)s.OutputSize);

        // Inputs and gradients grow by 4 at most, their sums by 9/4.
        if (!Winograd.IsSafe(largest, 36.0 * s.Batch * s.OutputSize)) return false;
        var job = new WinogradWeights { _shape = s, _x = x, _dy = dy, _dw = dw };
        job.Run();
        return true;
    }

    private static bool IsBetter(in WindowShape s)
    {
        if (s.Groups != 1 || s.InChannels % ChannelStep != 0 || s.InChannels == 0 || s.OutChannels == 0 || s.Batch == 0) return false;
        if (s.Kernel[0] != 1 || s.Kernel[1] != 3 || s.Kernel[2] != 3 || s.Input[0] != 1 || s.Output[0] != 1 || s.Before[0] != 0) return false;
        if (s.Stride.Product != 1 || s.Dilation[1] != 1 || s.Dilation[2] != 1 || s.Output[1] < 4 || s.Output[2] < 4) return false;
        double rows = s.OutChannels, channels = s.InChannels, pairs = rows * channels, tiles = (double)s.Batch * ((s.Output[1] + 1) / 2) * ((s.Output[2] + 1) / 2);
        return Winograd.Products * pairs * tiles + Winograd.TransformWork * ((rows + channels) * tiles + pairs) < 0.8 * 9 * pairs * s.Batch * s.OutputSize;
    }

    private readonly nint TilesY => (_shape.Output[1] + 1) / 2;

    private readonly nint TilesX => (_shape.Output[2] + 1) / 2;

    private void Run()
    {
        nint rows = _shape.OutChannels, maxRows = MicroKernels.For<float>().MaxRows, tiles = (rows + maxRows - 1) / maxRows;
        nint threads = WorkerPool.Threads, parts = ((Winograd.Products * rows * _shape.InChannels * sizeof(float)) + SumBytes - 1) / SumBytes;
        _parts = Math.Min(tiles, (parts + threads - 1) / threads * threads);
        tiles = (tiles + _parts - 1) / _parts * _parts;
        _tileRows = (rows + tiles - 1) / tiles;
        Winograd.Run(ref this, (int)_parts);
    }

    /// <summary>Some tiles of the filters, over all images.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Part<L>(int part)
        where L : struct, IVectorLane<L, float>
    {
        nint tiles = (_shape.OutChannels + _tileRows - 1) / _tileRows, tile0 = tiles * part / _parts, tile1 = tiles * (part + 1) / _parts, row0 = tile0 * _tileRows;
        nint rows = Math.Min(_shape.OutChannels, tile1 * _tileRows) - row0;
        if (rows <= 0) return;
        tiles = (rows + _tileRows - 1) / _tileRows;
        nint channels = _shape.InChannels, stride = MicroKernels.For<float>().PackedStride, gradients = tiles * stride;
        nint tileRowsOfBlock = Math.Max(1, Depth / TilesX), depth = tileRowsOfBlock * TilesX, all = _shape.Batch * TilesY;
        nint inputLine = (2 * TilesX + 2) * channels, gradientLine = 2 * TilesX * gradients;
        var work = new Buffers { InputStep = Winograd.Step(depth * channels), GradientStep = Winograd.Step(depth * gradients), SumStep = Winograd.Step(rows * channels) };
        nint staged = 4 * inputLine + 2 * gradientLine + ChannelStep;
        using var scratch = new NativeScratch((Winograd.Products * (work.InputStep + work.GradientStep) + staged) * sizeof(float));
        using var sums = new NativeScratch((Winograd.Products * work.SumStep + 9 * rows * channels) * sizeof(float));
        work.Inputs = (float*)scratch.Pointer;
        work.Gradients = work.Inputs + Winograd.Products * work.InputStep;
        work.Sums = (float*)sums.Pointer;
        float* inputLines = work.Gradients + Winograd.Products * work.GradientStep, gradientLines = inputLines + 4 * inputLine, filters = work.Sums + Winograd.Products * work.SumStep;

        // The padding, which is never written.
        new Span<float>(inputLines, (int)staged).Clear();
        for (nint first = 0; first < all; first += tileRowsOfBlock)
        {
            nint count = Math.Min(tileRowsOfBlock, all - first);
            work.Tiles = count * TilesX;
            for (nint i = 0; i < count; i++)
            {
                var (image, row) = Math.DivRem(first + i, TilesY);
                StageInputs(image, row, inputLines, inputLine);
                WinogradTransform<L>.InputsOfChannels(inputLines, inputLine, channels, TilesX, work.Tiles, i * TilesX, work.Inputs, work.InputStep);
                StageGradients(image, row, row0, rows, gradientLines, gradientLine, gradients);
                WinogradTransform<L>.Gradients(gradientLines, gradientLine, gradients, stride, TilesX, work.Tiles, i * TilesX, work.Gradients, work.GradientStep);
            }

            Multiply(work, rows, first > 0);
        }

        for (nint r = 0; r < rows; r++) WinogradTransform<L>.FilterGradients(work.Sums + r * channels, work.SumStep, channels, filters + 9 * r * channels);
        new WeightProduct<float>(_shape, _x, _dy).Finish(0, row0, row0 + rows, 0, channels, filters, _dw);
    }

    /// <summary>The four lines of inputs that a row of tiles meets, as [x, channel].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void StageInputs(nint image, nint row, float* lines, nint line)
    {
        var kernels = MicroKernels.For<float>();
        nint channels = _shape.InChannels, plane = (nint)_shape.InputSize, width = _shape.Input[2], left = Math.Min(_shape.Before[2], 2 * TilesX + 2);
        float* source = _x + image * channels * plane;
        for (nint i = 0; i < 4; i++, lines += line)
        {
            var y = 2 * row + i - _shape.Before[1];
            if (y >= 0 && y < _shape.Input[1]) kernels.Transpose(source + y * width, plane, channels, Math.Min(width, 2 * TilesX + 2 - left), lines + left * channels, channels);
            else new Span<float>(lines, (int)line).Clear();
        }
    }

    /// <summary>The two lines of gradients of a row of tiles, as [x, tile of filters, filter].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void StageGradients(nint image, nint row, nint row0, nint rows, float* lines, nint line, nint stride)
    {
        var kernels = MicroKernels.For<float>();
        nint plane = (nint)_shape.OutputSize, width = _shape.Output[2];
        float* source = _dy + (image * _shape.OutChannels + row0) * plane;
        for (nint i = 0; i < 2; i++, lines += line)
        {
            var y = 2 * row + i;
            if (y >= _shape.Output[1])
            {
                new Span<float>(lines, (int)line).Clear();
                continue;
            }

            float* to = lines;
            for (nint r = 0; r < rows; r += _tileRows, to += kernels.PackedStride)
                kernels.Transpose(source + r * plane + y * width, plane, Math.Min(_tileRows, rows - r), width, to, stride);
        }
    }

    /// <summary>The sixteen products of a block: filters by tiles times tiles by channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Multiply(in Buffers work, nint rows, bool accumulate)
    {
        var kernels = MicroKernels.For<float>();
        nint stride = kernels.PackedStride, channels = _shape.InChannels, panel = 2 * (nint)kernels.VectorLength, tiles = work.Tiles;
        var epilogue = new Epilogue<float>(1, accumulate);
        for (nint i = 0; i < Winograd.Products; i++)
        {
            float* a = work.Gradients + i * work.GradientStep;
            for (nint row = 0; row < rows; row += _tileRows, a += tiles * stride)
            {
                var height = Math.Min(_tileRows, rows - row);
                float* c = work.Sums + i * work.SumStep + row * channels;
                for (nint j = 0; j < channels; j += panel)
                {
                    var width = Math.Min(panel, channels - j);
                    kernels.Kernel(true, width == panel ? 2 : 1, height)(tiles, a, stride, work.Inputs + i * work.InputStep + j * tiles, width, c + j, channels, &epilogue);
                }
            }
        }
    }

    /// <summary>A thread's transformed inputs and gradients of a block of tiles, and the sums of their products.</summary>
    private struct Buffers
    {
        public nint Tiles;
        public float* Inputs;
        public nint InputStep;
        public float* Gradients;
        public nint GradientStep;

        /// <summary>[product, filter, channel].</summary>
        public float* Sums;
        public nint SumStep;
    }
}
