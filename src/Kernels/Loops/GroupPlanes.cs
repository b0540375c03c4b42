using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Some groups of a group normalization, as the planes that their channels are: what is known of each plane lies side by side in working memory. With the mean m
/// of a plane of n elements and Σ (x − m)² about it, the group's mean μ is that of the planes, and its sum of squares Σ (Σ (x − m)² + n·(m − μ)²).
/// </summary>
/// <remarks>Chan, Golub and LeVeque, "Algorithms for Computing the Sample Variance", 1983.</remarks>
internal readonly unsafe ref struct GroupPlanes<L, T>
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // Arrays of one number for each plane.
    private const int Arrays = 9;

    private readonly ChannelJob* _job;
    private readonly long _groups;
    private readonly long _segments;
    private readonly long _planes;
    private readonly long _first;
    private readonly long _size;
    private readonly T* _means;
    private readonly T* _squares;
    private readonly T* _sums;
    private readonly T* _products;
    private readonly T* _centers;
    private readonly T* _scales;
    private readonly T* _gammas;
    private readonly T* _terms;
    private readonly T* _totals;

    public GroupPlanes(ChannelJob* job, long start, long groups, T* memory)
    {
        _job = job;
        (_groups, _segments) = (groups, job->Segments);
        (_planes, _first, _size) = (groups * _segments, start * _segments, job->Size / _segments);
        var room = Room(_planes);
        _means = memory;
        _squares = _means + room;
        _sums = _squares + room;
        _products = _sums + room;
        _centers = _products + room;
        _scales = _centers + room;
        _gammas = _scales + room;
        _terms = _gammas + room;
        _totals = _terms + room;
    }

    private T* X => (T*)_job->Input + _first * _size;

    private T* G => (T*)_job->Gradient + _first * _size;

    private T* Output => (T*)_job->Output + _first * _size;

    /// <summary>The working memory of some groups.</summary>
    public static long Bytes(ChannelJob* job, long groups) => Arrays * Room(groups * job->Segments) * sizeof(T);

    /// <summary>The mean of x and the squares about it, of every plane.</summary>
    public void Moments()
    {
        T* x = X;
        if (_size <= PlaneSums<First, L, T>.Longest)
        {
            PlaneSums<First, L, T>.Run(x, x, null, _size, _planes, _means, 1);
            Divide(_means, _planes, _size);
            PlaneSums<SquaredDifference, L, T>.Run(x, x, _means, _size, _planes, _squares, 1);
            return;
        }

        var (count, ahead) = (T.CreateTruncating(_size), RowAhead.Distance<T>(_size));
        for (long p = 0; p < _planes; p++, x += _size)
        {
            _means[p] = ReduceTree.ReduceRow<SumReduction, L, T>(x, _size) / count;
            _squares[p] = RowSum<Fetching<SquaredDifference>, L, T>.Sum(x, x, L.Broadcast(_means[p]), _size, null, x + ahead);
        }
    }

    /// <summary>The same, Σ g, and Σ (x − mean)·g.</summary>
    public void PairMoments()
    {
        T* x = X, g = G;
        if (_size <= PlaneSums<First, L, T>.Longest)
        {
            Moments();
            PlaneSums<First, L, T>.Run(g, g, null, _size, _planes, _sums, 1);
            PlaneSums<ShiftedProduct, L, T>.Run(x, g, _means, _size, _planes, _products, 1);
            return;
        }

        var (count, ahead) = (T.CreateTruncating(_size), RowAhead.Distance<T>(_size));
        for (long p = 0; p < _planes; p++, x += _size, g += _size)
        {
            (var sum, _sums[p]) = PairSum<Fetching<First>, Second, PlainSecond, L, T>.Sum(x, g, null, L.Const(0), _size, x + ahead);
            _means[p] = sum / count;
            (_squares[p], _products[p]) =
                PairSum<Fetching<SquaredDifference>, ShiftedProduct, PlainSecond, L, T>.Sum(x, g, null, L.Broadcast(_means[p]), _size, g + ahead);
        }
    }

    /// <summary>From the moments of the planes the mean of each group and 1/√(variance + ε).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Join()
    {
        Total(_means);
        Divide(_totals, _groups, _segments);
        Spread(_centers);
        L n = L.Const(_size), count = L.Const(_job->Size), epsilon = L.Const(_job->Epsilon), one = L.Const(1);
        for (long p = 0; p < _planes; p += L.Count)
        {
            var shift = L.Load(_means + p) - L.Load(_centers + p);
            L.Store(L.Load(_squares + p) + shift * shift * n, _terms + p);
        }

        Total(_terms);
        for (long i = 0; i < _groups; i += L.Count) L.Store(one / L.Sqrt(L.Load(_totals + i) / count + epsilon), _totals + i);
        Spread(_scales);
    }

    /// <summary>Σ g and Σ g·x̂ of each plane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void WriteSums()
    {
        T* sums = (T*)_job->Sums + _first, products = sums + _job->Channels * _segments;
        for (long p = 0; p < _planes; p += L.Count)
        {
            L sum = L.Load(_sums + p), shift = L.Load(_means + p) - L.Load(_centers + p), product = (L.Load(_products + p) + shift * sum) * L.Load(_scales + p);
            LaneTail.Store<L, T>(sum, sums + p, _planes - p);
            LaneTail.Store<L, T>(product, products + p, _planes - p);
        }
    }

    /// <summary>x̂·gamma + beta.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Normalize()
    {
        T* betas = _terms;
        Repeat((T*)_job->Gamma, _gammas);
        Repeat((T*)_job->Beta, betas);
        for (long p = 0; p < _planes; p += L.Count) L.Store(L.Load(_scales + p) * L.Load(_gammas + p), _scales + p);
        PlaneMaps<L, T>.Forward(X, Output, _centers, _scales, betas, _size, _planes);
    }

    /// <summary>dx, by the sums of the planes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Differentiate()
    {
        T* sums = (T*)_job->Sums + _first, products = sums + _job->Channels * _segments, shifts = _sums, slopes = _products;
        Repeat((T*)_job->Gamma, _gammas);
        Means(sums, shifts);
        Means(products, slopes);
        for (long p = 0; p < _planes; p += L.Count) L.Store(L.Load(slopes + p) * L.Load(_scales + p), slopes + p);
        PlaneMaps<L, T>.Gradient(X, G, Output, _centers, slopes, _gammas, shifts, _scales, _size, _planes);
    }

    // Whole lines, and a register for what is written too much.
    private static long Room(long planes) => (planes + L.Count + ReduceTree.Lanes - 1) / ReduceTree.Lanes * ReduceTree.Lanes;

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Divide(T* values, long count, long by)
    {
        var divisor = L.Const(by);
        for (long i = 0; i < count; i += L.Count) L.Store(L.Load(values + i) / divisor, values + i);
    }

    // The mean, over a group, of what has these sums over the planes, times gamma; for every plane.
    private void Means(T* sums, T* means)
    {
        for (long p = 0; p < _planes; p += L.Count) L.Store(L.Load(sums + p) * L.Load(_gammas + p), _terms + p);
        Total(_terms);
        Divide(_totals, _groups, _job->Size);
        Spread(means);
    }

    // Sums over the planes of every group.
    private void Total(T* values)
    {
        if (_segments == 1) Copy(values, _totals);
        else if (_segments <= PlaneSums<First, L, T>.Longest) PlaneSums<First, L, T>.Run(values, values, null, _segments, _groups, _totals, 1);
        else for (long i = 0; i < _groups; i++) _totals[i] = ReduceTree.ReduceRow<SumReduction, L, T>(values + i * _segments, _segments);
    }

    // The totals, for every plane.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Spread(T* values)
    {
        if (_segments == 1)
        {
            Copy(_totals, values);
            return;
        }

        T* at = values;
        for (long i = 0; i < _groups; i++, at += _segments)
        {
            // What is written too much is written again.
            var total = L.Broadcast(_totals[i]);
            for (long s = 0; s < _segments; s += L.Count) L.Store(total, at + s);
        }
    }

    private void Copy(T* from, T* to) => new ReadOnlySpan<T>(from, checked((int)_groups)).CopyTo(new Span<T>(to, checked((int)_groups)));

    // One of each channel, for every plane.
    private void Repeat(T* channels, T* values)
    {
        long scales = _job->Scales, from = _first % scales;
        for (long p = 0; p < _planes;)
        {
            var count = Math.Min(_planes - p, scales - from);
            new ReadOnlySpan<T>(channels + from, (int)count).CopyTo(new Span<T>(values + p, (int)count));
            (p, from) = (p + count, 0);
        }
    }
}
