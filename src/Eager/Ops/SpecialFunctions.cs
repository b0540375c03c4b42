using System.Runtime.InteropServices;
using Fusion.Kernels;

namespace Fusion;

/// <summary>Rows whose kernels are scalar code.</summary>
internal static class SpecialFunctions
{
    public static void Polygamma(int order, NDArray x, NDArray output)
    {
        NDArray dense = x.Contiguous();
        if (dense.DType == DType.Float64)
        {
            ReadOnlySpan<double> from = MemoryMarshal.Cast<byte, double>(dense.Bytes);
            Span<double> to = MemoryMarshal.Cast<byte, double>(output.Bytes);
            for (int i = 0; i < to.Length; i++) to[i] = Kernels.Polygamma.Evaluate(order, from[i]);
        }
        else
        {
            ReadOnlySpan<float> from = MemoryMarshal.Cast<byte, float>(dense.Bytes);
            Span<float> to = MemoryMarshal.Cast<byte, float>(output.Bytes);
            for (int i = 0; i < to.Length; i++) to[i] = (float)Kernels.Polygamma.Evaluate(order, from[i]);
        }

        GC.KeepAlive(dense);
        GC.KeepAlive(output);
    }
}
