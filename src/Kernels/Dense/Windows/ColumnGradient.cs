using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// The gradient of a convolution's input by columns: the filters, transposed, times the gradient of the output give what every output position sends back through
/// every tap; each input adds up what it receives, in the order of the taps. Where planes shrink much, as by a filter of 5 × 5 without padding, the patches of the
/// gradient would be mostly padding: 12² inputs of 8² outputs are 2.25 times the multiplications. Where windows lie side by side, as those of 16 × 16 elements that
/// step by 16, every input receives one value, and each would be a phase of the stride by itself.
/// </summary>
/// <remarks>An element is the sum over taps of chains of fused multiply-adds over channels: other bits than the chain over both, and whether depends on the shape alone.</remarks>
internal unsafe struct ColumnGradient<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // What is sent back through the taps is written and read once: products must save that.
    private const double LeastExcess = 1.5;
    private const int LeastChannels = 8;
    private const int LeastTaps = 4;

    // Of what a part sends back at a time; it stays in the second-level cache.
    private const nint PartBytes = 384 * 1024;
    private const nint WantedColumns = 256;
    private const double ParallelFlops = 400_000;

    private readonly WindowShape _shape;
    private readonly T* _gradient;
    private readonly T* _filters;
    private readonly T* _result;
    private readonly GemmFinish _finish;
    private nint _images, _channels, _channelParts;

    private ColumnGradient(in WindowShape shape, T* gradient, T* filters, T* result, GemmFinish finish)
    {
        (_shape, _finish) = (shape, finish);
        _gradient = gradient;
        _filters = filters;
        _result = result;
    }

    /// <summary>Computes it, if this is the better way for the shape.</summary>
    public static bool TryRun(in WindowShape s, T* dy, T* w, T* dx, GemmFinish finish)
    {
        if (!Takes(s) || s.Batch == 0) return false;
        new ColumnGradient<T>(s, dy, w, dx, finish).Run(BytesPerChannel(s));
        return true;
    }

    /// <summary>This is the better way.</summary>
    public static bool Takes(in WindowShape s) =>
        s.Groups == 1 && s.InChannels > 0 && s.OutChannels >= LeastChannels && s.Taps >= LeastTaps && s.OutputSize > 0 && BytesPerChannel(s) <= PartBytes
        && (HasTiles(s) || (s.Stride.Product == 1 && s.InputSize >= LeastExcess * s.OutputSize && !IsFiltered(s)));

    /// <summary>Windows lie side by side, from the first element on.</summary>
    private static bool HasTiles(in WindowShape s)
    {
        for (var i = 0; i < 3; i++)
        {
            if (s.Kernel[i] != s.Stride[i] || s.Before[i] != 0 || (s.Kernel[i] > 1 && s.Dilation[i] != 1) || s.Input[i] < s.Output[i] * s.Stride[i]) return false;
        }

        return true;
    }

    private static nint BytesPerChannel(in WindowShape s) => (nint)(s.Taps * s.OutputSize) * sizeof(T);

    // Minimal filtering needs fewer multiplications still.
    private static bool IsFiltered(in WindowShape s) => Winograd.Enabled && typeof(T) == typeof(float) && s.Kernel[0] == 1 && s.Kernel[1] == 3 && s.Kernel[2] == 3;

    private void Run(nint perChannel)
    {
        nint wanted = Math.Max(1, WantedColumns / (nint)_shape.OutputSize);
        _images = Math.Min(Math.Min(wanted, Math.Max(1, PartBytes / perChannel)), (_shape.Batch + WorkerPool.Threads - 1) / WorkerPool.Threads);
        _channels = Math.Clamp(PartBytes / (perChannel * _images), 1, _shape.InChannels);
        nint blocks = (_shape.Batch + _images - 1) / _images;
        bool isParallel = WorkerPool.Threads > 1 && 2.0 * _shape.InChannels * _shape.Taps * _shape.OutChannels * _shape.OutputSize * _shape.Batch >= ParallelFlops;
        if (isParallel && blocks < WorkerPool.Threads) _channels = Math.Min(_channels, (_shape.InChannels + WorkerPool.Threads - 1) / WorkerPool.Threads);
        _channelParts = (_shape.InChannels + _channels - 1) / _channels;
        nint parts = blocks * _channelParts;
        var self = (ColumnGradient<T>*)Unsafe.AsPointer(ref this);
        if (isParallel && parts > 1)
        {
            WorkerPool.Run((int)parts, &Part, self);
            return;
        }

        for (var part = 0; part < parts; part++) Part(self, part);
    }

    private static void Part(void* context, int part)
    {
        var job = (ColumnGradient<T>*)context;
        switch (SimdWidth.Current)
        {
            case 512:
                job->Part<Lane512<T>>(part);
                break;
            case 256:
                job->Part<Lane256<T>>(part);
                break;
            default:
                job->Part<Lane128<T>>(part);
                break;
        }
    }

    // Some channels of some images.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Part<L>(int part)
        where L : struct, IVectorLane<L, T>
    {
        var (block, channelPart) = Math.DivRem(part, (int)_channelParts);
        nint image = block * _images, images = Math.Min(_images, _shape.Batch - image), channel = channelPart * _channels, channels = Math.Min(_channels, _shape.InChannels - channel);
        nint taps = (nint)_shape.Taps, pixels = (nint)_shape.OutputSize, columns = images * pixels, outputs = _shape.OutChannels;
        nint reach = ((nint)_shape.Kernel[2] - 1) * _shape.Dilation[2] + _shape.Before[2] + 2 * L.Count; // what registers read before the first row and behind the last
        using var sentScratch = new NativeScratch((channels * taps * columns + 2 * reach) * sizeof(T));
        using var gradientScratch = new NativeScratch(images == 1 ? 0 : outputs * columns * sizeof(T));
        T* sent = (T*)sentScratch.Pointer + reach, gradient = _gradient + image * outputs * pixels;
        if (images > 1)
        {
            T* joined = (T*)gradientScratch.Pointer;
            for (nint o = 0; o < outputs; o++)
            {
                for (nint i = 0; i < images; i++)
                    Unsafe.CopyBlockUnaligned(joined + o * columns + i * pixels, gradient + (i * outputs + o) * pixels, checked((uint)(pixels * sizeof(T))));
            }

            gradient = joined;
        }

        var problem = new GemmProblem<T>
        {
            M = channels * taps,
            N = columns,
            K = outputs,
            Alpha = T.One,
            TransA = true,
            A = _filters + channel * taps,
            Lda = _shape.InChannels * taps,
            B = gradient,
            Ldb = columns,
            C = sent,
            Ldc = columns,
        };
        GemmBlock.Run(problem, new MatrixPanels<T>(problem), 0, problem.M, 0, problem.N);
        bool hasTiles = HasTiles(_shape);
        using var maskScratch = new NativeScratch(hasTiles ? 0 : Masks<L>(null));
        if (!hasTiles) Masks<L>((T*)maskScratch.Pointer);
        nint size = (nint)_shape.InputSize;
        for (nint i = 0; i < images; i++)
        {
            nint first = (image + i) * _shape.InChannels + channel;
            for (nint c = 0; c < channels; c++)
            {
                T* from = sent + c * taps * columns + i * pixels, plane = _result + (first + c) * size;
                if (hasTiles) Tiles(from, columns, plane);
                else Plane<L>(from, columns, (T*)maskScratch.Pointer, plane);
            }

            if (!_finish.IsEmpty) _finish.Invoke(first, channels, 0, size);
        }
    }

    /// <summary>For every register of an input row and every tap along it, which elements some output reaches. Without memory: the bytes that takes.</summary>
    private readonly nint Masks<L>(T* masks)
        where L : struct, IVectorLane<L, T>
    {
        nint taps = _shape.Kernel[2], registers = (_shape.Input[2] + L.Count - 1) / L.Count;
        for (nint r = 0; r < registers && masks != null; r++)
        {
            for (nint t = 0; t < taps; t++)
            {
                // Output x of the first element; elements of outputs [0, width) count.
                nint x = r * L.Count + _shape.Before[2] - t * _shape.Dilation[2], from = Math.Clamp(-x, 0, L.Count), until = Math.Clamp(_shape.Output[2] - x, 0, L.Count);
                var mask = L.And(L.Not(LaneTail.Mask<L, T>(from)), LaneTail.Mask<L, T>(until));
                L.Store(mask, masks + (r * taps + t) * L.Count);
            }
        }

        return registers * taps * L.Count * sizeof(T);
    }

    // Every row of an input plane interleaves what the taps of a line send; what no window meets is zero.
    private readonly void Tiles(T* sent, nint tapStep, T* plane)
    {
        nint width = _shape.Input[2], taps = _shape.Kernel[2], columns = _shape.Output[2], met = columns * taps;
        for (nint z = 0; z < _shape.Input[0]; z++)
        {
            var (outputZ, tapZ) = Math.DivRem(z, _shape.Stride[0]);
            for (nint y = 0; y < _shape.Input[1]; y++, plane += width)
            {
                var (outputY, tapY) = Math.DivRem(y, _shape.Stride[1]);
                bool isMet = outputZ < _shape.Output[0] && outputY < _shape.Output[1];
                T* line = sent + (tapZ * _shape.Kernel[1] + tapY) * taps * tapStep + (outputZ * _shape.Output[1] + outputY) * columns;
                if (isMet) CopyTranspose.Run(line, tapStep, taps, columns, plane, taps);
                for (nint x = isMet ? met : 0; x < width; x++) plane[x] = T.Zero;
            }
        }
    }

    // Every row of an input plane adds up what it receives.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Plane<L>(T* sent, nint tapStep, T* masks, T* plane)
        where L : struct, IVectorLane<L, T>
    {
        nint width = _shape.Input[2], tapsX = _shape.Kernel[2];
        for (nint z = 0; z < _shape.Input[0]; z++)
        {
            for (nint y = 0; y < _shape.Input[1]; y++, plane += width)
            {
                for (nint x = 0; x < width; x += L.Count)
                    LaneTail.Store<L, T>(Received<L>(sent, tapStep, masks + x * tapsX, z, y, x), plane + x, width - x);
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private readonly L Received<L>(T* sent, nint tapStep, T* masks, nint z, nint y, nint x)
        where L : struct, IVectorLane<L, T>
    {
        nint tapsX = _shape.Kernel[2], dilation = _shape.Dilation[2], height = _shape.Output[1], length = _shape.Output[2];
        var sum = L.Const(0);
        for (nint tapZ = 0; tapZ < _shape.Kernel[0]; tapZ++)
        {
            nint fromZ = z + _shape.Before[0] - tapZ * _shape.Dilation[0];
            if ((nuint)fromZ >= (nuint)_shape.Output[0]) continue;
            for (nint tapY = 0; tapY < _shape.Kernel[1]; tapY++)
            {
                nint fromY = y + _shape.Before[1] - tapY * _shape.Dilation[1];
                if ((nuint)fromY >= (nuint)height) continue;
                T* row = sent + (tapZ * _shape.Kernel[1] + tapY) * tapsX * tapStep + (fromZ * height + fromY) * length + x + _shape.Before[2];
                for (nint t = 0; t < tapsX; t++) sum += L.And(L.Load(masks + t * L.Count), L.Load(row + t * (tapStep - dilation)));
            }
        }

        return sum;
    }
}
