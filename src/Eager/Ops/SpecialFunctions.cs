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
            ReadOnlySpan<double> from = dense.AsSpan<double>();
            Span<double> to = MemoryMarshal.Cast<byte, double>(output.Bytes);
            for (int i = 0; i < to.Length; i++) to[i] = Kernels.Polygamma.Evaluate(order, from[i]);
            return;
        }

        ReadOnlySpan<float> source = dense.AsSpan<float>();
        Span<float> target = MemoryMarshal.Cast<byte, float>(output.Bytes);
        for (int i = 0; i < target.Length; i++) target[i] = (float)Kernels.Polygamma.Evaluate(order, source[i]);
    }
}
