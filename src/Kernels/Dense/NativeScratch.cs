using System.Runtime.InteropServices;

namespace Fusion.Kernels;

/// <summary>
/// Native working memory for the length of a <c>using</c>, 64-byte aligned, with 64 bytes of slack at its end. Each thread keeps what it used last, so a steady
/// state allocates nothing; a scratch taken while another one of the same thread is open comes from a second, third … kept buffer.
/// </summary>
internal readonly unsafe ref struct NativeScratch
{
    // Beyond this a buffer is not kept when it is given back.
    private const long KeepBytes = 64L << 20;

    [ThreadStatic]
    private static Stack? _stack;

    private readonly Stack _owner;

    public NativeScratch(long bytes)
    {
        _owner = _stack ??= new Stack();
        Pointer = _owner.Push(bytes);
    }

    public byte* Pointer { get; }

    public void Dispose() => _owner.Pop();

    /// <summary>The buffers of one thread; the finalizer frees them after the thread has ended.</summary>
    private sealed class Stack
    {
        private readonly List<(nint Pointer, long Bytes)> _buffers = [];
        private int _depth;

        ~Stack()
        {
            foreach (var (pointer, _) in _buffers) NativeMemory.AlignedFree((void*)pointer);
        }

        public byte* Push(long bytes)
        {
            if (_depth == _buffers.Count) _buffers.Add((0, -1));
            var (pointer, capacity) = _buffers[_depth];
            if (capacity < bytes)
            {
                NativeMemory.AlignedFree((void*)pointer);
                _buffers[_depth] = (0, -1);
                pointer = (nint)NativeMemory.AlignedAlloc((nuint)(bytes + 64), 64);
                _buffers[_depth] = (pointer, bytes);
            }

            _depth++;
            return (byte*)pointer;
        }

        public void Pop()
        {
            _depth--;
            var (pointer, capacity) = _buffers[_depth];
            if (capacity <= KeepBytes) return;
            NativeMemory.AlignedFree((void*)pointer);
            _buffers[_depth] = (0, -1);
        }
    }
}
