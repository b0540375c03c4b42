using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>An operand of a kernel whose elements are those of a random draw.</summary>
/// <param name="Operand">Its place among the operands.</param>
/// <param name="Source">The numbers.</param>
/// <param name="Blocks">Blocks of the stream between the origin and the draw.</param>
internal readonly record struct DrawnOperand(int Operand, NumberSource Source, ulong Blocks);

/// <summary>
/// A kernel that makes random numbers for itself, a stretch at a time, in memory that stays in the first-level cache: they depend on their position alone, so
/// it does not matter who computes which elements. Drawn operands lie nowhere. The address that a driver finds for one, less that of the origin, says
/// which element is meant.
/// </summary>
/// <param name="kernel">Reads the drawn operands like any others.</param>
/// <param name="operands">All operands.</param>
/// <param name="origin">The operand that is the <see cref="RandomOrigin"/> of this call.</param>
/// <param name="draws">The drawn operands.</param>
internal sealed unsafe class DrawingLoop(ElementKernel kernel, int operands, int origin, DrawnOperand[] draws)
{
    /// <summary>
    /// What a draw costs, in operators for each element: ten rounds of the generator on four registers of words are some 120 instructions, a distribution as
    /// many as a cheap function.
    /// </summary>
    public const int DrawWeight = 35;

    // A multiple of whole registers and of the source's grain: what a kernel writes past the end of a stretch would spoil the next one's operands.
    private const int Stretch = 1024;
    private const int MaxElementSize = 8;
    private const int Slack = 64;
    private const int Slot = ((Stretch + NumberSource.Grain) * MaxElementSize) + Slack;

    private readonly ElementKernel _kernel = kernel;

    public ElementKernel Kernel => new(Run, _kernel.Weight + (draws.Length * DrawWeight));

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Run(nint table, long start, long end)
    {
        if (start >= end) return;
        nint* given = (nint*)table;
        nint* own = stackalloc nint[operands];
        for (int k = 0; k < operands; k++) own[k] = given[k];
        RandomOrigin place = *(RandomOrigin*)given[origin];
        using NativeScratch scratch = new((long)Slot * draws.Length);
        for (long from = start; from < end; from += Stretch)
        {
            int count = (int)Math.Min(Stretch, end - from);
            for (int i = 0; i < draws.Length; i++)
            {
                ref readonly DrawnOperand draw = ref draws[i];
                int size = draw.Source.ElementSize;
                long position = ((given[draw.Operand] - given[origin]) / size) + from;
                int lead = (int)(position % NumberSource.Grain);
                byte* numbers = scratch.Pointer + ((long)Slot * i);
                draw.Source.Fill(place with { Block = unchecked(place.Block + draw.Blocks) }, position - lead, lead + count, numbers);
                own[draw.Operand] = (nint)(numbers + ((lead - from) * size));
            }

            _kernel.Invoke((nint)own, from, from + count);
        }
    }
}
