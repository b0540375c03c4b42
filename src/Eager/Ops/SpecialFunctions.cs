using Fusion.Kernels;

namespace Fusion;

/// <summary>Rows whose kernels are scalar code.</summary>
internal static unsafe class SpecialFunctions
{
    public static void Polygamma(int order, NDArray x, NDArray output)
    {
        NDArray dense = x.Contiguous();
        fixed (byte* from = &dense.Data, to = &output.Data) Kernels.Polygamma.Run(order, output.DType, (nint)from, (nint)to, output.Size);
        GC.KeepAlive(dense);
        GC.KeepAlive(output);
    }
}
