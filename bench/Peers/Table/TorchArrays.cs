using TorchSharp;
using static TorchSharp.torch;

namespace Fusion.Peers.Table;

/// <summary>Arrays of one side as arrays of the other, and whether there is another side.</summary>
internal static class TorchArrays
{
    /// <summary>What to say beside the reason why LibTorch cannot be used.</summary>
    public const string Hint =
        "On Debian 12, TorchSharp 0.107's library asks for a newer libstdc++ (GLIBCXX_3.4.32) than the system has; docs/benchmarks.md says what to do.";

    /// <summary>Why LibTorch cannot be used here; null when it can.</summary>
    public static string? Unavailable()
    {
        try
        {
            set_num_threads(1);
            return get_num_threads() == 1 ? null : "it does not take a number of threads";
        }
        catch (Exception e) when (e is TypeInitializationException or DllNotFoundException or NotSupportedException or EntryPointNotFoundException)
        {
            return (e.InnerException ?? e).Message.Split('\n')[0];
        }
    }

    public static Tensor Of(NDArray x, bool gradient = false)
    {
        long[] shape = [.. x.Shape.Dimensions.ToArray().Select(static d => (long)d)];
        Tensor tensor = x.DType switch
        {
            DType.Float32 => torch.tensor(x.ToArray<float>(), shape),
            DType.Float64 => torch.tensor(x.ToArray<double>(), shape),
            DType.Int64 => torch.tensor(x.ToArray<long>(), shape),
            DType.Int32 => torch.tensor(x.ToArray<int>(), shape),
            DType.Bool => torch.tensor(x.ToArray<bool>(), shape),
            _ => torch.tensor(x.ToArray<byte>(), shape),
        };
        return gradient ? tensor.requires_grad_() : tensor;
    }

    // The accessor throws for an empty tensor, and for zeros that have no memory: a clone has.
    public static double[] Elements(Tensor x) => x.numel() == 0 ? [] : x.detach().to_type(ScalarType.Float64).contiguous().clone().data<double>().ToArray();
}
