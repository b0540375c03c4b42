using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>From the first step to the last one.</summary>
internal unsafe struct SequenceForward : ISequencePass
{
    public static bool IsForward => true;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows<TCell, L, T>(SequenceJob* job, long start, long end)
        where TCell : ISequenceCell<L, T>
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        SequenceLayout at = job->Layout;
        ref PackedMatrix<T> weight = ref *(PackedMatrix<T>*)job->Packed;
        nint rows = (nint)(end - start), hidden = (nint)at.Hidden, gates = (nint)at.Gates * hidden;
        nint stateDistance = SequenceKernels.Distance<T>(hidden), productDistance = SequenceKernels.Distance<T>(weight.Columns);
        using NativeScratch scratch = new(((rows * (stateDistance + productDistance)) + weight.Columns) * sizeof(T));
        T* state = (T*)scratch.Pointer, product = state + (rows * stateDistance), bias = null;
        T* states = (T*)job->States;
        if (job->Bias != 0)
        {
            bias = product + (rows * productDistance);
            SequenceKernels.Copy((T*)job->Bias, bias, gates);
        }

        T* first = states + ((at.Reverse ? at.Time : 0) * at.State);
        for (nint r = 0; r < rows; r++)
        {
            T* source = (T*)job->FirstHidden + ((start + r) * hidden);
            SequenceKernels.Copy(source, state + (r * stateDistance), hidden);
            SequenceKernels.Copy(source, first + ((start + r) * hidden), hidden);
        }

        if (at.HasCell)
        {
            long slot = at.CellBefore(at.Reverse ? at.Time - 1 : 0);
            SequenceKernels.Copy((T*)job->FirstCell + (start * hidden), states + (slot * at.State) + (start * hidden), rows * hidden);
        }

        ForwardRow<T> row = new() { Hidden = hidden };
        for (long step = 0; step < at.Time; step++)
        {
            long t = at.Reverse ? at.Time - 1 - step : step;
            weight.Multiply(rows, state, stateDistance, bias, accumulate: false, product, productDistance);
            for (nint r = 0; r < rows; r++)
            {
                long sample = start + r, offset = sample * hidden;
                row.Gates = (T*)job->Gates + (((t * at.Batch) + sample) * gates);
                row.Product = product + (r * productDistance);
                row.Kept = at.Keep && at.Kept > 0 ? states + at.KeptAt(t, sample) : row.Product;
                row.State = state + (r * stateDistance);
                row.Output = states + (at.After(t) * at.State) + offset;
                if (at.HasCell)
                {
                    row.CellBefore = states + (at.CellBefore(t) * at.State) + offset;
                    row.CellAfter = states + (at.CellAfter(t) * at.State) + offset;
                }

                TCell.Forward(row);
            }
        }
    }
}

/// <summary>From the last step back to the first one. The gradients of the weight follow from those of the gates, for all steps in one product.</summary>
internal unsafe struct SequenceBackward : ISequencePass
{
    public static bool IsForward => false;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows<TCell, L, T>(SequenceJob* job, long start, long end)
        where TCell : ISequenceCell<L, T>
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        SequenceLayout at = job->Layout;
        ref PackedMatrix<T> weight = ref *(PackedMatrix<T>*)job->Packed;
        nint rows = (nint)(end - start), hidden = (nint)at.Hidden, gates = (nint)at.Gates * hidden;
        nint leftDistance = SequenceKernels.Distance<T>(gates), carryDistance = SequenceKernels.Distance<T>(weight.Columns);
        using NativeScratch scratch = new(rows * (leftDistance + (2 * carryDistance)) * sizeof(T));
        T* left = (T*)scratch.Pointer, carry = left + (rows * leftDistance), carryCell = carry + (rows * carryDistance);
        new Span<T>(carry, (int)(2 * rows * carryDistance)).Clear();
        T* states = (T*)job->States, gradients = (T*)job->Gradients, firsts = gradients + (at.Gradients(false) * at.State);
        for (nint r = 0; at.HasCell && r < rows; r++) SequenceKernels.Copy((T*)job->UpstreamCell + ((start + r) * hidden), carryCell + (r * carryDistance), hidden);
        BackwardRow<T> row = new() { Hidden = hidden };
        for (long step = at.Time - 1; step >= 0; step--)
        {
            long t = at.Reverse ? at.Time - 1 - step : step;
            for (nint r = 0; r < rows; r++)
            {
                long sample = start + r, offset = sample * hidden;
                row.Kept = states + at.KeptAt(t, sample);
                row.StateBefore = states + (at.Before(t) * at.State) + offset;
                row.StateAfter = states + (at.After(t) * at.State) + offset;
                if (at.HasCell)
                {
                    row.CellBefore = states + (at.CellBefore(t) * at.State) + offset;
                    row.CellAfter = states + (at.CellAfter(t) * at.State) + offset;
                }

                row.Upstream = (T*)job->Upstream + (t * job->UpstreamTime) + (sample * job->UpstreamBatch);
                row.Carry = carry + (r * carryDistance);
                row.CarryCell = carryCell + (r * carryDistance);
                row.Gates = gradients + (((t * at.Batch) + sample) * gates);
                row.Products = row.Gates + (at.Time * at.Batch * gates);
                row.Left = left + (r * leftDistance);
                TCell.Backward(row);
            }

            if (step > 0 || job->First) weight.Multiply(rows, left, leftDistance, null, accumulate: at.Cell == RecurrentCell.Gru, carry, carryDistance);
        }

        for (nint r = 0; job->First && r < rows; r++)
        {
            SequenceKernels.Copy(carry + (r * carryDistance), firsts + ((start + r) * hidden), hidden);
            if (at.HasCell) SequenceKernels.Copy(carryCell + (r * carryDistance), firsts + at.State + ((start + r) * hidden), hidden);
        }
    }
}
