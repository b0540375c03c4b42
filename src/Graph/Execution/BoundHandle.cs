namespace Fusion;

/// <summary>The handle of a value and those of its views: they are pointed to the memory of a call together.</summary>
/// <param name="handle">The whole value.</param>
/// <param name="views">What else sees its memory.</param>
internal readonly struct BoundHandle(NDArray handle, IReadOnlyList<NDArray> views)
{
    /// <summary>What handles see between calls.</summary>
    public static readonly byte[] Nothing = new byte[128];

    private readonly NDArray[] _views = [.. views];
    private readonly long[] _offsets = From(handle.Offset, views);

    public NDArray Handle => handle;

    public void Point(object storage, long offset)
    {
        handle.Rebind(storage, offset);
        for (int i = 0; i < _views.Length; i++) _views[i].Rebind(storage, offset + _offsets[i]);
    }

    /// <summary>Lets go of the memory.</summary>
    public void Release() => Point(Nothing, 0);

    private static long[] From(long start, IReadOnlyList<NDArray> views) => [.. views.Select(v => v.Offset - start)];
}
