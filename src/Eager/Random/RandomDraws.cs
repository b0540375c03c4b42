using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// The parts of the stream that the draws of a piece of work have taken, in order. What computes it once more takes them again, whatever other threads have drawn
/// meanwhile, and takes nothing from them.
/// </summary>
internal sealed class RandomDraws
{
    private readonly List<(RandomOrigin First, ulong Blocks)> _taken = [];
    private RandomDraws? _outer;

    /// <summary>Draws of this thread are noted from here on, until <see cref="End"/>: in those around it, too.</summary>
    public static RandomDraws Begin(ExecutionState state)
    {
        RandomDraws draws = new() { _outer = state.Draws };
        return state.Draws = draws;
    }

    /// <summary>All parts of the stream from a place on.</summary>
    public static RandomDraws From(RandomState place)
    {
        RandomDraws draws = new();
        draws._taken.Add((new RandomOrigin(place.Seed, place.Block), ulong.MaxValue));
        return draws;
    }

    /// <summary>No more draws are noted. The tape may hold what is noted for long: not also what was around it.</summary>
    public void End(ExecutionState state) => (state.Draws, _outer) = (_outer, null);

    /// <summary>The parts that are noted: side by side as one.</summary>
    public IReadOnlyList<(RandomOrigin First, ulong Blocks)> Taken => _taken;

    /// <summary>A draw was made.</summary>
    public static void Note(RandomDraws? draws, RandomOrigin first, ulong blocks)
    {
        for (; draws is not null; draws = draws._outer)
        {
            List<(RandomOrigin First, ulong Blocks)> taken = draws._taken;
            if (taken.Count > 0 && taken[^1] is var (last, count) && last with { Block = unchecked(last.Block + count) } == first) taken[^1] = (last, count + blocks);
            else taken.Add((first, blocks));
        }
    }

    /// <summary>The last draw was none.</summary>
    public static void Forget(RandomDraws? draws, ulong blocks)
    {
        for (; draws is not null; draws = draws._outer)
        {
            List<(RandomOrigin First, ulong Blocks)> taken = draws._taken;
            if (taken.Count == 0) continue;
            (RandomOrigin first, ulong count) = taken[^1];
            if (count > blocks) taken[^1] = (first, count - blocks);
            else taken.RemoveAt(taken.Count - 1);
        }
    }
}
