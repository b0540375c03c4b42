using Fusion.NN;
using static TorchSharp.torch;

namespace Fusion.Peers.Table;

// Layers with states, both with the same parameters.
internal static partial class OperatorTable
{
    private static readonly OperatorRow[] Recurrent =
    [
        Layer("Rnn", static d => new Rnn(6, 5, 2, dtype: d), static (x, p) => Loaded(nn.RNN(6, 5, 2, dtype: x.dtype), p).call(x).Item1),
        Layer("Lstm", static d => new Lstm(6, 5, dtype: d), static (x, p) => Loaded(nn.LSTM(6, 5, dtype: x.dtype), p).call(x).Item1),
        Layer("Lstm: two layers in both directions", static d => new Lstm(6, 5, 2, bidirectional: true, dtype: d),
            static (x, p) => Loaded(nn.LSTM(6, 5, 2, bidirectional: true, dtype: x.dtype), p).call(x).Item1),
        Layer("Gru", static d => new Gru(6, 5, dtype: d), static (x, p) => Loaded(nn.GRU(6, 5, dtype: x.dtype), p).call(x).Item1),
    ];

    private static OperatorRow Layer(string name, Func<DType, RecurrentLayer> ours, Func<Tensor, RecurrentLayer, Tensor> theirs) =>
        new(name, x => Made(ours, x[0].DType).Forward(x[0]), x => theirs(x[0], Made(ours, DType.Float64)),
            Operand.Real((7, 3, 6), (7, 3, 6)))
        { IsTimed = false };

    // Single-precision parameters in every element type.
    private static RecurrentLayer Made(Func<DType, RecurrentLayer> make, DType dtype)
    {
        using RecordScope pause = Autograd.Pause();
        Nd.Random.Seed(5);
        RecurrentLayer source = make(DType.Float32), layer = make(dtype);
        foreach ((string name, NDArray parameter) in layer.Parameters) parameter.Assign(source.Parameters[name].Detach());
        return layer;
    }

    private static TModule Loaded<TModule>(TModule module, RecurrentLayer source)
        where TModule : nn.Module
    {
        using IDisposable scope = no_grad();
        foreach ((string name, TorchSharp.Modules.Parameter parameter) in module.named_parameters()) parameter.copy_(TorchArrays.Of(source.Parameters[name]));
        return module;
    }
}
