using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>Planes that receive one value per position of a grid: all of their elements, or every Step-th from Phase on along each axis.</summary>
internal unsafe struct PatchTarget<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public T* Data;
    public Triple Size;
    public Triple Grid;
    public Triple Step;
    public Triple Phase;

    /// <summary>One value per plane of an image, added last; or null.</summary>
    public T* Bias;

    /// <summary>The grid is the plane.</summary>
    public readonly bool Dense => Step.Product == 1;

    public readonly T* Plane(nint plane) => Data + plane * (nint)Size.Product;

    /// <summary>Adds the bias to the <paramref name="count"/> elements of a dense plane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void AddBias(nint plane, nint channel, nint count)
    {
        if (Bias == null) return;
        AddBias(Plane(plane), Plane(plane), Bias[channel], count);
    }

    /// <summary>Writes the values of one plane, plus the bias; with a <paramref name="step"/> of 0 or without values zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Write(T* values, nint step, nint plane, nint channel, nint count)
    {
        // Without a bias −0, which leaves every number as it is, −0 too.
        var zero = T.Zero;
        var bias = Bias == null ? T.NegativeZero : Bias[channel];
        if (values == null) values = &zero;
        if (Dense)
        {
            T* to = Plane(plane);
            if (step == 0) new Span<T>(to, checked((int)count)).Fill(zero + bias);
            else if (Bias == null) Buffer.MemoryCopy(values, to, count * sizeof(T), count * sizeof(T));
            else AddBias(values, to, bias, count);
            return;
        }

        for (var z = 0; z < Grid[0]; z++)
        {
            for (var y = 0; y < Grid[1]; y++)
            {
                T* to = Plane(plane) + ((nint)(Phase[0] + z * Step[0]) * Size[1] + Phase[1] + y * Step[1]) * Size[2] + Phase[2];
                nint every = Step[2];
                for (nint x = 0; x < Grid[2]; x++, values += step) to[x * every] = *values + bias;
            }
        }
    }

    /// <summary>
    /// Writes the positions of the grid among values, which lie as in a staged plane: from <paramref name="first"/> on, <paramref name="count"/> of them.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void WriteGrid(in PatchMap map, T* values, nint first, nint count, nint plane, nint channel)
    {
        nint width = map.X.Grid, end = Math.Min(first + count, map.FlatSize), every = Step[2];
        var bias = Bias == null ? T.NegativeZero : Bias[channel];
        T* to = Plane(plane);
        for (nint z = first / map.StepZ, y = first % map.StepZ / map.StepY; z < Grid[0]; z++, y = 0)
        {
            for (; y < Grid[1]; y++)
            {
                var start = z * map.StepZ + y * map.StepY;
                if (start >= end) return;
                nint from = Math.Max(start, first), length = Math.Min(start + width, end) - from;
                if (length <= 0) continue;
                T* row = to + ((Phase[0] + z * Step[0]) * Size[1] + Phase[1] + y * Step[1]) * Size[2] + Phase[2] + (from - start) * every, value = values + (from - first);
                if (every != 1)
                {
                    for (nint x = 0; x < length; x++) row[x * every] = value[x] + bias;
                }
                else if (Bias != null) AddBias(value, row, bias, length);
                else new ReadOnlySpan<T>(value, (int)length).CopyTo(new Span<T>(row, (int)length));
            }
        }
    }

    private static void AddBias(T* from, T* to, T bias, nint count)
    {
        switch (SimdWidth.Current)
        {
            case 512:
                AddBias<Lane512<T>>(from, to, bias, count);
                break;
            case 256:
                AddBias<Lane256<T>>(from, to, bias, count);
                break;
            default:
                AddBias<Lane128<T>>(from, to, bias, count);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddBias<L>(T* from, T* to, T bias, nint count)
        where L : struct, IVectorLane<L, T>
    {
        var b = L.Broadcast(bias);
        nint i = 0;
        for (; i + L.Count <= count; i += L.Count) L.Store(L.Load(from + i) + b, to + i);
        if (i < count) LaneTail.Store<L, T>(L.Load(from + i) + b, to + i, count - i);
    }
}
