using System.Buffers;
using System.Runtime.CompilerServices;
using Fusion.Kernels;

namespace Fusion;

/// <summary>Arrays that are put together from parts: joined ones, and one that is surrounded by a value. Each is written in one pass.</summary>
internal static unsafe class ArrayParts
{
    public static void Concat(ReadOnlySpan<NDArray> inputs, int axis, NDArray output)
    {
        if (output.Size == 0) return;
        if (output.IsOnGpu)
        {
            ConcatViews(inputs, axis, output);
            return;
        }

        const int Most = ArrayPins.MaxArrays - 1;
        NDArray[] sources = ArrayPool<NDArray>.Shared.Rent(inputs.Length + 1);
        int count = 0;
        foreach (NDArray input in inputs)
            if (input.Size > 0) sources[count++] = input.OnHost();
        sources[count] = output;
        Join join = new() { Axis = axis, Output = output };
        for (int i = 0; i < count; i += Most)
        {
            join.Inputs = sources.AsSpan(i, Math.Min(Most, count - i));
            ArrayPins.Run(join.Inputs, sources.AsSpan(count, 1), ref join);
        }

        ArrayPool<NDArray>.Shared.Return(sources, clearArray: true);
    }

    /// <summary>Writes one value everywhere but at a place of a contiguous array, and the source there; without one, what is there is not asked for and may change.</summary>
    public static void Surround(NDArray? source, NDArray target, SliceAttributes place, double value)
    {
        if (target.Size == 0) return;
        if (target.IsOnGpu || source is { IsOnGpu: true } or { Size: 0 } || place.Steps.Span.ContainsAnyExcept(1))
        {
            Movement.Fill(target, value);
            if (source is not null) Movement.CopyIntoView(source, target, place);
            return;
        }

        int rank = target.Rank, size = target.DType.Size, count = 0, shared = rank;
        long* from = stackalloc long[Math.Max(1, rank)], to = stackalloc long[Math.Max(1, rank)], repeats = stackalloc long[Math.Max(1, rank)];
        source?.CopyStrides(new Span<long>(from, rank));
        target.CopyStrides(new Span<long>(to, rank));
        new Span<long>(repeats, rank).Clear();
        int* sizes = stackalloc int[Math.Max(1, rank)], shapes = stackalloc int[(2 * rank + 1) * rank + 1];
        target.Shape.Dimensions.CopyTo(new Span<int>(sizes, rank));
        CopyPart* parts = stackalloc CopyPart[2 * rank + 1];
        ulong element = 0;
        Copy.Fill((nint)(&element), 1, target.DType, value);
        fixed (byte* data = &Data(source), start = &target.Data)
        {
            // Axis after axis what lies before and behind the place: as wide as the place along earlier axes, as the array along later ones.
            nint origin = (nint)start;
            for (int axis = 0; axis < rank; axis++)
            {
                int before = place.Starts[axis], kept = place.Counts[axis], after = sizes[axis] - before - kept;
                nint step = (nint)(to[axis] * size);
                for (int side = 0; side < 2; side++)
                {
                    sizes[axis] = side == 0 ? before : after;
                    if (sizes[axis] == 0) continue;
                    nint first = origin + (side == 0 ? 0 : step * (before + kept));
                    if (axis == 0)
                    {
                        Copy.Run((nint)(&element), repeats, first, to, new ReadOnlySpan<int>(sizes, rank), size);
                        continue;
                    }

                    parts[count] = Part(shapes + (rank * count++), (nint)(&element), repeats, first);
                    shared = Math.Min(shared, axis);
                }

                origin += step * before;
                sizes[axis] = kept;
            }

            // First what is long: its rows fetch the lines that the others write a few elements of.
            if (source is not null)
            {
                parts[count] = Part(shapes + (rank * count), (nint)data, from, origin);
                (parts[0], parts[count]) = (parts[count], parts[0]);
                count++;
            }

            CopyParts.Run(parts, count, to, rank, shared, size);
        }

        GC.KeepAlive(source);
        GC.KeepAlive(target);

        CopyPart Part(int* shape, nint elements, long* strides, nint first)
        {
            new Span<int>(sizes, rank).CopyTo(new Span<int>(shape, rank));
            return new CopyPart { Source = elements, Strides = strides, Target = first, Shape = shape };
        }
    }

    private static ref byte Data(NDArray? array)
    {
        if (array is null) return ref Unsafe.NullRef<byte>();
        return ref array.Data;
    }

    private static void ConcatViews(ReadOnlySpan<NDArray> inputs, int axis, NDArray output)
    {
        int[] starts = new int[output.Rank];
        int[] steps = new int[output.Rank];
        Array.Fill(steps, 1);
        foreach (NDArray input in inputs)
        {
            if (input.Size > 0)
                Movement.CopyIntoView(input, output, new SliceAttributes(new IntList(starts), new IntList(input.Shape.ToArray()), new IntList(steps), output.Shape));
            starts = [.. starts];
            starts[axis] += input.Shape.Dimensions[axis];
        }
    }

    // Inputs side by side along an axis, from a first place on it.
    private ref struct Join : IArrayAction
    {
        public int Axis;
        public long First;
        public ReadOnlySpan<NDArray> Inputs;
        public NDArray Output;

        public void Invoke(ReadOnlySpan<nint> pointers)
        {
            int rank = Output.Rank, count = Inputs.Length, size = Output.DType.Size;
            CopyPart* parts = stackalloc CopyPart[count];
            long* to = stackalloc long[rank], strides = stackalloc long[count * rank];
            int* shapes = stackalloc int[count * rank];
            Output.CopyStrides(new Span<long>(to, rank));
            for (int i = 0; i < count; i++)
            {
                CopyPart part = new() { Source = pointers[i], Strides = strides + (i * rank), Shape = shapes + (i * rank) };
                Inputs[i].CopyStrides(new Span<long>(part.Strides, rank));
                Inputs[i].Shape.Dimensions.CopyTo(new Span<int>(part.Shape, rank));
                part.Target = pointers[count] + (nint)(First * to[Axis] * size);
                First += part.Shape[Axis];
                parts[i] = part;
            }

            CopyParts.Run(parts, count, to, rank, Axis, size);
        }
    }
}
