using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// Row-major copies of strided operands that library kernels make for themselves, kept from call to call: a handle for each request of a run, and memory
/// that the launches share, since a copy is dead when its launch has ended.
/// </summary>
internal sealed class PlanScratch : IScratch
{
    private readonly List<NDArray> _handles = [];
    private readonly List<object> _blocks = [];
    private int _next;
    private int _inLaunch;

    public void BeginRun() => _next = 0;

    public void BeginLaunch() => _inLaunch = 0;

    public NDArray Take(DType dtype, Shape shape)
    {
        if (_next == _handles.Count) _handles.Add(new NDArray(Array.Empty<byte>(), dtype, shape));
        NDArray handle = _handles[_next];
        if (handle.DType != dtype || !handle.Shape.Equals(shape)) handle = _handles[_next] = new NDArray(Array.Empty<byte>(), dtype, shape);
        long bytes = shape.Size * dtype.Size;
        if (_inLaunch == _blocks.Count) _blocks.Add(MemoryPool.Allocate(bytes));
        else if (MemoryPool.Capacity(_blocks[_inLaunch]) < bytes) _blocks[_inLaunch] = MemoryPool.Allocate(bytes);
        handle.Rebind(_blocks[_inLaunch], 0);
        _next++;
        _inLaunch++;
        return handle;
    }
}
