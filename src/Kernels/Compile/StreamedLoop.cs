using System.Diagnostics;

namespace Fusion.Kernels;

/// <summary>
/// The loop of a kernel with stores past the caches: see <see cref="StreamedResults"/>. A thread of the pool compiles it when it is asked for the first time; until then,
/// and where it cannot be compiled, there is none.
/// </summary>
internal sealed class StreamedLoop(KernelSpec spec)
{
    /// <summary>Longer bodies keep ordinary stores.</summary>
    /// <remarks>
    /// They compute while such stores wait for their lines; with these exp, log, GELU, and tanh times sigmoid took 0.75 to 1.2 times as long, depending on the neighbours.
    /// </remarks>
    public const int MaxOperators = 10;

    private TieredLoop? _loop;
    private int _asked;

    /// <summary>For a kernel of so many operators at a width; null where it would not pay, or there are no such stores.</summary>
    public static StreamedLoop? Of(KernelSpec spec, int operators, int width) =>
        KernelCompiler.IsAvailable && operators <= MaxOperators && VectorMethods.For(width, spec.Is64).StoreStreamed is not null ? new StreamedLoop(spec) : null;

    /// <summary>The loop, if there is one. Its results begin where lines do, and it runs from such a place.</summary>
    public TieredLoop? Ask()
    {
        if (Volatile.Read(ref _loop) is { } made) return made;
        if (TieredLoop.TakesOverAtOnce) Compile();
        else if (Interlocked.Exchange(ref _asked, 1) == 0) ThreadPool.UnsafeQueueUserWorkItem(static loop => loop.Compile(), this, preferLocal: false);
        return Volatile.Read(ref _loop);
    }

    private void Compile()
    {
        try
        {
            Volatile.Write(ref _loop, KernelCompiler.BuildStreamed(spec));
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            Debug.Fail(failure.Message);        // the ordinary loop is as good, and slower
        }
    }
}
