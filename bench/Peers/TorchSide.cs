using Fusion.Peers.Table;
using static TorchSharp.torch;

namespace Fusion.Peers;

/// <summary>What every case needs of LibTorch: the same inputs, threads, and the end of a scope that frees what a call made.</summary>
internal static class TorchSide
{
    /// <summary>Both sides on so many threads, read back.</summary>
    public static void SetThreads(int threads)
    {
        FusionRuntime.NumThreads = threads;
        set_num_threads(threads);
        if (FusionRuntime.NumThreads != threads || get_num_threads() != threads)
            throw new InvalidOperationException($"Asked for {threads} threads; Fusion has {FusionRuntime.NumThreads}, LibTorch {get_num_threads()}.");
    }

    public static Tensor Of(NDArray x, bool gradient = false) => TorchArrays.Of(x, gradient);

    /// <summary>The same numbers in double precision; indices and masks as they are.</summary>
    public static Tensor Double(NDArray x, bool gradient = false)
    {
        Tensor tensor = Of(x);
        if (x.DType != DType.Float32 && x.DType != DType.Float64) return tensor;
        tensor = tensor.to_type(ScalarType.Float64);
        return gradient ? tensor.requires_grad_() : tensor;
    }

    /// <summary>A call whose tensors are freed at its end.</summary>
    public static Action Scoped(Action body) => () =>
    {
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        body();
    };

    public static Contender Contender(Func<Tensor> f) => new(Peers.Contender.Torch, Scoped(() => f()), () => Elements(f));

    /// <summary>The elements of a result that is computed and freed here.</summary>
    public static double[] Elements(Func<Tensor> f)
    {
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        return TorchArrays.Elements(f());
    }
}
