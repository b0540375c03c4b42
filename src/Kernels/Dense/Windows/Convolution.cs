using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Convolutions of contiguous (batch, channels, depth, height, width) arrays with (out channels, in channels of a group, depth, height, width) filters, and
/// their two transposes. Matrix products over implicit patches; with one channel a group (depthwise) loops over planes. Every result is a fixed chain of
/// operations:
/// the same bits for any number of threads and any vector width.
/// </summary>
/// <remarks>Chellapilla, Puri and Simard, "High Performance Convolutional Neural Networks for Document Processing", 2006 (convolution as matrix
/// product).</remarks>
internal static unsafe class Convolution
{
    // A group of one channel with fewer filters than this leaves a register tile empty.
    private const int MinRows = 4;

    /// <summary>
    /// y = x ⋆ w + bias; <paramref name="bias"/> may be null. <paramref name="finish"/> is called for finished planes: rows counted through the batch.
    /// </summary>
    public static void Forward<T>(in WindowShape s, T* x, T* w, T* bias, T* y, GemmFinish finish = default)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (ChannelWindows<T>.TryForward(s, x, w, bias, y, finish)) return;
        var map = new PatchMap(PatchAxis.Forward(s, 0), PatchAxis.Forward(s, 1), PatchAxis.Forward(s, 2));
        var target = new PatchTarget<T> { Data = y, Size = s.Output, Grid = s.Output, Step = Ones, Bias = bias };
        var panels = new FilterPanels<T> { Filters = w, Rows = s.OutChannels, Channels = s.InChannels, KernelTaps = (nint)s.Taps, Taps = (nint)s.Taps };
        if (!TryDirect(s, map, panels, x, target, finish)) Correlate(s, map, s.InChannels, s.OutChannels, x, w, target, finish);
    }

    /// <summary>
    /// The gradient of x from that of y: dx = the transpose of <see cref="Forward"/> in x, phase by phase of the stride. <paramref name="finish"/> as there.
    /// </summary>
    public static void InputGradient<T>(in WindowShape s, T* dy, T* w, T* dx, GemmFinish finish = default)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (ChannelWindows<T>.TryInputGradient(s, dy, w, dx, finish) || ColumnGradient<T>.TryRun(s, dy, w, dx, finish)) return;
        nint filters = (nint)s.Groups * s.OutChannels * s.InChannels * (nint)s.Taps;
        using var table = new NativeScratch((nint)s.Taps * sizeof(nint));
        var numbers = (nint*)table.Pointer;
        var walk = new PhaseWalk(s);
        while (walk.Next(out var map, out var target))
        {
            walk.WriteTapNumbers(numbers);
            var to = new PatchTarget<T> { Data = dx, Size = s.Input, Grid = target.Grid, Step = s.Stride, Phase = target.Phase };
            var panels = new FilterPanels<T>
            {
                Filters = w,
                Rows = s.InChannels,
                Channels = s.OutChannels,
                KernelTaps = (nint)s.Taps,
                Taps = map.Taps,
                TapNumbers = numbers,
            };
            var whole = to.Dense ? finish : default;
            if (TryDirect(s, map, panels, dy, to, whole)) continue;
            if (to.Dense && PatchProduct<T>.IsMatrix(map, s.Batch))
            {
                Correlate(s, map, s.OutChannels, s.InChannels, dy, w, to, whole, isTransposed: true);
                continue;
            }

            using var scratch = new NativeScratch(filters * sizeof(T));
            T* turned = (T*)scratch.Pointer;
            walk.TurnFilters(w, numbers, turned);
            Correlate(s, map, s.OutChannels, s.InChannels, dy, turned, to, whole);
        }

        // The phases of a stride are interleaved: no plane is finished before the last one.
        if (!finish.IsEmpty && s.Stride.Product != 1) finish.InvokeRows(0, (long)s.Batch * s.Groups * s.InChannels, s.InputSize);
    }

    /// <summary>The gradient of the filters from that of y.</summary>
    public static void WeightGradient<T>(in WindowShape s, T* x, T* dy, T* dw)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => ConvolutionWeights<T>.Run(s, x, dy, dw);

    /// <summary>The sum of every window of a plane.</summary>
    public static void SumPool<T>(in WindowShape s, T* x, T* y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => Pool<WindowRow<WindowSum>, T>(s, x, null, y);

    /// <summary>The largest element of every window of a plane; NaN if there is one.</summary>
    public static void MaxPool<T>(in WindowShape s, T* x, T* y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => Pool<WindowRow<WindowMax>, T>(s, x, null, y);

    /// <summary>The transpose of <see cref="SumPool"/>: every input receives the sum of the windows that it is in.</summary>
    public static void SumPoolGradient<T>(in WindowShape s, T* dy, T* dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (WindowSpread<T>.Takes(s))
        {
            WindowSpread<T>.Run(s, dy, dx);
            return;
        }

        var walk = new PhaseWalk(s);
        while (walk.Next(out var map, out var target))
        {
            var to = new PatchTarget<T> { Data = dx, Size = s.Input, Grid = target.Grid, Step = s.Stride, Phase = target.Phase };
            Planes<WindowRow<WindowSum>, T>(map, s.Batch, 1, 1, dy, null, to);
        }
    }

    internal static Triple Ones
    {
        get
        {
            Triple ones = default;
            (ones[0], ones[1], ones[2]) = (1, 1, 1);
            return ones;
        }
    }

    /// <summary>Joins every window; <paramref name="weights"/>, one a tap, are for rows that use them.</summary>
    internal static void Pool<TRow, T>(in WindowShape s, T* x, T* weights, T* y, GemmFinish finish = default)
        where TRow : IWindowRow
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var map = new PatchMap(PatchAxis.Forward(s, 0), PatchAxis.Forward(s, 1), PatchAxis.Forward(s, 2));
        Planes<TRow, T>(map, s.Batch, 1, 1, x, weights, new PatchTarget<T> { Data = y, Size = s.Output, Grid = s.Output, Step = Ones }, finish);
    }

    /// <summary>Without packed panels, where that is less work. A 1 × 1 convolution is a product of matrices as they lie.</summary>
    private static bool TryDirect<T>(in WindowShape s, in PatchMap map, in FilterPanels<T> filters, T* source, in PatchTarget<T> target, GemmFinish finish)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (map.Pixels == 0 || s.Batch == 0 || filters.Rows == 0 || filters.Inner == 0 || (filters.Channels == 1 && filters.Rows < MinRows)) return false;
        if (PatchProduct<T>.IsMatrix(map, s.Batch)) return false;
        if (typeof(T) == typeof(float) && s.Groups == 1 && target.Dense && WinogradProduct.TryRun(
            map, s.Batch, Unsafe.BitCast<FilterPanels<T>, FilterPanels<float>>(filters), (float*)source, Unsafe.BitCast<PatchTarget<T>, PatchTarget<float>>(target), finish))
        {
            return true;
        }

        var staged = map.Staged ? map : new PatchMap(map.Z, map.Y, map.X, staged: true);
        if (!DirectProduct<T>.IsBetter(staged, filters.Rows, PatchProduct<T>.JoinedImages(s.Batch, map.Pixels))) return false;
        var job = new DirectProduct<T> { Map = staged, Batch = s.Batch, Groups = s.Groups, Filters = filters, Source = source, Target = target, Finish = finish };
        job.Run();
        return true;
    }

    private static void Correlate<T>(in WindowShape s, in PatchMap map, int channels, int rows, T* source, T* weights, in PatchTarget<T> target, GemmFinish finish, bool isTransposed = false)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (channels == 1 && rows < MinRows)
        {
            Planes<WindowRow<WindowProduct>, T>(map, (nint)s.Batch * s.Groups * rows, rows, s.Groups * rows, source, weights, target, finish);
            return;
        }

        using var table = new NativeScratch(map.Taps * sizeof(nint));
        map.WriteTapOffsets((nint*)table.Pointer);
        var job = new PatchProduct<T>
        {
            Map = map,
            TapOffsets = (nint*)table.Pointer,
            Batch = s.Batch,
            Groups = s.Groups,
            Channels = channels,
            Rows = rows,
            Weights = weights,
            IsTransposed = isTransposed,
            Source = source,
            Target = target,
            Finish = finish,
        };
        job.Run();
    }

    private static void Planes<TRow, T>(in PatchMap map, nint planes, nint perSource, nint channels, T* source, T* weights, in PatchTarget<T> target, GemmFinish finish = default)
        where TRow : IWindowRow
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using var table = new NativeScratch(map.Taps * sizeof(nint));
        map.WriteTapOffsets((nint*)table.Pointer);
        var job = new WindowPlanes<T>
        {
            Map = map,
            TapOffsets = (nint*)table.Pointer,
            Planes = planes,
            PerSource = perSource,
            Channels = channels,
            Weights = weights,
            Source = source,
            Target = target,
            Finish = finish,
        };
        job.Run<TRow>();
    }
}
