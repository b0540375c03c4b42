using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>A part of an array that is put together: elements of any strides (0 repeats) and where the first of them goes.</summary>
internal unsafe struct CopyPart
{
    public nint Source;
    public nint Target;

    /// <summary>Elements from one index to the next, outermost axis first.</summary>
    public long* Strides;

    /// <summary>One size an axis.</summary>
    public int* Shape;
}

/// <summary>
/// Several copies into one array, piece of the array by piece: where parts lie side by side in its rows, one copy after the other would fetch every line of
/// the array once for each of them.
/// </summary>
internal static unsafe class CopyParts
{
    private const long PieceBytes = 64 * 1024; // written, as much read: the second-level cache holds several

    /// <summary>Copies the parts, those that overlap in their order; where no axis is shared, none overlap.</summary>
    /// <param name="parts">None is empty.</param>
    /// <param name="count">How many.</param>
    /// <param name="to">Elements from one index of the array to the next, outermost axis first; it is contiguous.</param>
    /// <param name="rank">Axes of the array and of all parts.</param>
    /// <param name="shared">Axes, from the outermost, along which all parts have one size and begin at one index.</param>
    /// <param name="elementSize">Bytes.</param>
    public static void Run(CopyPart* parts, int count, long* to, int rank, int shared, int elementSize)
    {
        // Pieces are ranges of indices of one shared axis, the first of which a few fit.
        int axis = 0;
        while (axis < shared - 1 && to[axis] * elementSize > PieceBytes) axis++;
        if (shared == 0)
        {
            RunApart(parts, count, to, rank, elementSize);
            return;
        }

        if (count < 2 || parts->Shape[axis] < 2)
        {
            for (int i = 0; i < count; i++)
                Copy.Run(parts[i].Source, parts[i].Strides, parts[i].Target, to, new ReadOnlySpan<int>(parts[i].Shape, rank), elementSize);
            return;
        }

        var job = new Job { Parts = parts, Count = count, To = to, Rank = rank, Axis = axis, ElementSize = elementSize };
        job.Range = (int)Math.Clamp(PieceBytes / (to[axis] * elementSize), 1, parts->Shape[axis]);
        job.Ranges = (parts->Shape[axis] + job.Range - 1) / job.Range;
        job.Units = job.Ranges;
        long bytes = to[axis] * elementSize * parts->Shape[axis];
        for (int d = 0; d < axis; d++)
        {
            job.Units *= parts->Shape[d];
            bytes *= parts->Shape[d];
        }

        job.Pieces = Copy.Pieces(bytes, job.Units);
        WorkerPool.Run(job.Pieces, &RunPiece, &job);
    }

    // One behind the other.
    [SkipLocalsInit]
    private static void RunApart(CopyPart* parts, int count, long* to, int rank, int elementSize)
    {
        CopyPlan* plans = stackalloc CopyPlan[count];
        int room = 3 * (rank + 2);
        long* axes = stackalloc long[count * room];
        for (int i = 0; i < count; i++)
            plans[i] = new CopyPlan(parts[i].Source, parts[i].Strides, parts[i].Target, to, new ReadOnlySpan<int>(parts[i].Shape, rank), elementSize, axes + (i * room));
        Copy.Run(plans, count, elementSize);
    }

    [SkipLocalsInit]
    private static void RunPiece(void* context, int piece)
    {
        Job* job = (Job*)context;
        int axis = job->Axis, inner = job->Rank - axis;
        int* shape = stackalloc int[inner];
        long* axes = stackalloc long[3 * (inner + 2)];
        for (long unit = job->Units * piece / job->Pieces, end = job->Units * (piece + 1) / job->Pieces; unit < end; unit++)
        {
            (long rest, long range) = Math.DivRem(unit, job->Ranges);
            long first = range * job->Range;
            for (int i = 0; i < job->Count; i++)
            {
                CopyPart* part = job->Parts + i;
                long from = first * part->Strides[axis], to = first * job->To[axis], outer = rest;
                for (int d = axis - 1; d >= 0; d--)
                {
                    (outer, long index) = Math.DivRem(outer, part->Shape[d]);
                    from += index * part->Strides[d];
                    to += index * job->To[d];
                }

                new Span<int>(part->Shape + axis, inner).CopyTo(new Span<int>(shape, inner));
                shape[0] = (int)Math.Min(job->Range, part->Shape[axis] - first);
                int size = job->ElementSize;
                var plan = new CopyPlan(part->Source + (nint)(from * size), part->Strides + axis, part->Target + (nint)(to * size), job->To + axis,
                    new ReadOnlySpan<int>(shape, inner), size, axes);
                plan.Run(0, plan.Units);
            }
        }
    }

    private struct Job
    {
        public CopyPart* Parts;
        public int Count;
        public long* To;
        public int Rank;
        public int Axis;
        public int ElementSize;
        public int Range;
        public long Ranges;
        public long Units;
        public int Pieces;
    }
}
