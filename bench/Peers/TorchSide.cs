using TorchSharp;
using static TorchSharp.torch;

namespace Fusion.Peers;

/// <summary>What every case needs of LibTorch: the same inputs, threads, and the end of a scope that frees what a call made.</summary>
internal static class TorchSide
{
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
            return (e.InnerException ?? e).Message;
        }
    }

    /// <summary>Both sides on so many threads, read back.</summary>
    public static void SetThreads(int threads)
    {
        FusionRuntime.NumThreads = threads;
        set_num_threads(threads);
        if (FusionRuntime.NumThreads != threads || get_num_threads() != threads)
            throw new InvalidOperationException($"Asked for {threads} threads; Fusion has {FusionRuntime.NumThreads}, LibTorch {get_num_threads()}.");
    }

    public static Tensor Of(NDArray x, bool gradient = false)
    {
        long[] shape = [.. x.Shape.Dimensions.ToArray().Select(static d => (long)d)];
        Tensor tensor = x.DType switch
        {
            DType.Float64 => torch.tensor(x.ToArray<double>(), shape),
            DType.Int64 => torch.tensor(x.ToArray<long>(), shape),
            DType.Int32 => torch.tensor(x.ToArray<int>(), shape),
            _ => torch.tensor(x.ToArray<float>(), shape),
        };
        return gradient ? tensor.requires_grad_() : tensor;
    }

    /// <summary>A call whose tensors are freed at its end.</summary>
    public static Action Scoped(Action body) => () =>
    {
        using DisposeScope scope = NewDisposeScope();
        body();
    };

    public static Contender Contender(Func<Tensor> f) => new(Peers.Contender.Torch, Scoped(() => f()), () =>
    {
        using DisposeScope scope = NewDisposeScope();
        return Elements(f());
    });

    public static double[] Elements(Tensor x) => x.detach().to_type(ScalarType.Float64).contiguous().data<double>().ToArray();
}
