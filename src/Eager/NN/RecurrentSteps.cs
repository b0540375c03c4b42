using Fusion.Kernels;

namespace Fusion.NN;

/// <summary>
/// One time step of each kind of recurrent layer: the next states from the input's share of the gates (batch, gates·hidden), the states (batch, hidden), the
/// hidden weight and its bias; the first state is the output.
/// </summary>
internal static class RecurrentSteps
{
    public static RecurrentStep Of(RecurrentCell cell) => cell switch
    {
        RecurrentCell.Lstm => Lstm,
        RecurrentCell.Gru => Gru,
        RecurrentCell.Relu => static (gates, states, weight, bias) => [Sum(gates, states, weight, bias).Relu()],
        _ => static (gates, states, weight, bias) => [Sum(gates, states, weight, bias).Tanh()],
    };

    private static NDArray Sum(NDArray gates, NDArray[] states, NDArray weight, NDArray? bias) => gates + Nd.FullyConnected(states[0], weight, bias);

    private static NDArray[] Lstm(NDArray gates, NDArray[] states, NDArray weight, NDArray? bias)
    {
        NDArray[] parts = Sum(gates, states, weight, bias).Split(4, -1);
        NDArray cell = parts[1].Sigmoid() * states[1] + parts[0].Sigmoid() * parts[2].Tanh();
        return [parts[3].Sigmoid() * cell.Tanh(), cell];
    }

    private static NDArray[] Gru(NDArray gates, NDArray[] states, NDArray weight, NDArray? bias)
    {
        NDArray[] x = gates.Split(3, -1), h = Nd.FullyConnected(states[0], weight, bias).Split(3, -1);
        NDArray reset = (x[0] + h[0]).Sigmoid(), update = (x[1] + h[1]).Sigmoid();
        NDArray proposed = (x[2] + reset * h[2]).Tanh();
        return [(1 - update) * proposed + update * states[0]];
    }
}
