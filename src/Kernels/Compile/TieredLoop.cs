using System.Diagnostics;

namespace Fusion.Kernels;

/// <summary>
/// A loop that another one takes over, with the same bits. A long body is compiled for one register a turn at first, or has a loop compiled ahead of time; when that has run for about
/// as long as compiling takes, a thread of the pool compiles the one of several registers (see <see cref="KernelTree"/>), and calls go there.
/// </summary>
internal sealed class TieredLoop
{
    /// <summary>Operators times elements after which a loop is worth compiling again: some milliseconds.</summary>
    public const long Work = 1L << 26;

    private static readonly AsyncLocal<bool> s_takesOverAtOnce = new();

    private ElementLoop _loop;
    private long _left;
    private Func<ElementLoop>? _final;

    /// <param name="loop">What runs at first.</param>
    /// <param name="operators">Its operators.</param>
    /// <param name="final">Compiles the faster one, if there is one.</param>
    public TieredLoop(ElementLoop loop, int operators, Func<ElementLoop>? final = null)
    {
        _loop = loop;
        Operators = operators;
        _final = final;
        _left = final is null ? 0 : Work / operators;
    }

    /// <summary>The operators that its formula expands to, for each element.</summary>
    public int Operators { get; }

    /// <summary>For tests: kernels that are asked for from here on have their faster loop at once.</summary>
    public static bool TakesOverAtOnce
    {
        get => s_takesOverAtOnce.Value;
        set => s_takesOverAtOnce.Value = value;
    }

    /// <summary>The faster loop is what runs, or there is none.</summary>
    public bool IsFinal => Volatile.Read(ref _final) is null;

    public void Invoke(nint table, long start, long end)
    {
        if (_left > 0) Count(end - start);
        _loop(table, start, end);
    }

    // Threads may lose each other's counts: about is enough.
    private void Count(long elements)
    {
        if ((_left -= elements) > 0) return;
        _left = 0;
        if (_final is not null) ThreadPool.UnsafeQueueUserWorkItem(static loop => loop.TakeOver(), this, preferLocal: false);
    }

    /// <summary>Compiles the faster loop now, if there is one.</summary>
    public void TakeOver()
    {
        if (Volatile.Read(ref _final) is not { } build) return;
        try
        {
            Volatile.Write(ref _loop, build());
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            Debug.Fail(failure.Message);        // the loop that runs is as good, and slower
        }

        Volatile.Write(ref _final, null);
    }
}
