using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>Arg-reductions of UInt8 and Bool, which have no vector loops of their own.</summary>
internal static unsafe class ArgReduceBytes
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TOrder>(in ArgReduceJob job)
        where TOrder : IOrder
    {
        var x = (byte*)job.Input;
        for (long line = 0; line < job.Outer * job.Inner; line++)
        {
            var (o, i) = Math.DivRem(line, job.Inner);
            byte* p = x + o * job.Reduced * job.Inner + i;
            long best = 0;
            for (long r = 1; r < job.Reduced; r++)
            {
                if (TOrder.IsBefore(p[r * job.Inner], p[best * job.Inner])) best = r;
            }

            job.Output[line] = best;
        }
    }
}
