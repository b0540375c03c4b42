using Microsoft.ML.OnnxRuntime;

namespace Fusion.Peers.Onnx;

/// <summary>ONNX Runtime's contender for a graph, on as many threads as the others.</summary>
internal static class OnnxSide
{
    /// <summary>Why ONNX Runtime cannot be used here; null when it can.</summary>
    public static string? Unavailable { get; } = Registers.AreNarrow ? "it has no setting for the width of registers" : Probe();

    public static InferenceSession Session(byte[] model)
    {
        using SessionOptions options = new() { IntraOpNumThreads = FusionRuntime.NumThreads, InterOpNumThreads = 1, ExecutionMode = ExecutionMode.ORT_SEQUENTIAL };
        if (options.IntraOpNumThreads != FusionRuntime.NumThreads)
            throw new InvalidOperationException($"Asked for {FusionRuntime.NumThreads} threads; ONNX Runtime has {options.IntraOpNumThreads}.");
        return new InferenceSession(model, options);
    }

    public static Contender Contender(byte[] model, NDArray x)
    {
        InferenceSession session = Session(model);
        OrtValue input = OrtValue.CreateTensorValueFromMemory(x.ToArray<float>(), [.. x.Shape.Dimensions.ToArray().Select(static d => (long)d)]);
        RunOptions options = new();
        string[] inputs = [OnnxGraph.Input], outputs = [.. session.OutputNames];
        return new Contender(Peers.Contender.Onnx, () => Run().Dispose(), () =>
        {
            using IDisposableReadOnlyCollection<OrtValue> results = Run();
            return Array.ConvertAll(results[0].GetTensorDataAsSpan<float>().ToArray(), static v => (double)v);
        });

        IDisposableReadOnlyCollection<OrtValue> Run() => session.Run(options, inputs, [input], outputs);
    }

    private static string? Probe()
    {
        try
        {
            return OrtEnv.Instance().GetVersionString() is null ? "it has no version" : null;
        }
        catch (Exception e) when (e is TypeInitializationException or DllNotFoundException or EntryPointNotFoundException or BadImageFormatException or OnnxRuntimeException)
        {
            return (e.InnerException ?? e).Message.Split('\n')[0];
        }
    }
}
