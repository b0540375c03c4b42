namespace Fusion;

/// <summary>What a variant was compiled for. Compared field by field at every call, without allocating.</summary>
internal sealed class HybridSignature(TensorType[] types, bool training, bool recording, bool[] gradient)
{
    public TensorType[] Types => types;

    public bool Training => training;

    public bool Recording => recording;

    /// <summary>Which inputs carry a gradient; only meaningful while recording.</summary>
    public bool[] Gradient => gradient;

    public static HybridSignature Of(ReadOnlySpan<NDArray> inputs, ExecutionState state)
    {
        TensorType[] types = new TensorType[inputs.Length];
        bool[] gradient = new bool[inputs.Length];
        for (int i = 0; i < types.Length; i++)
        {
            types[i] = inputs[i].Type;
            gradient[i] = state.Recording && CarriesGradient(inputs[i]);
        }

        return new HybridSignature(types, state.Training, state.Recording, gradient);
    }

    public bool Matches(ReadOnlySpan<NDArray> inputs, ExecutionState state)
    {
        if (inputs.Length != types.Length || training != state.Training || recording != state.Recording) return false;
        for (int i = 0; i < types.Length; i++)
        {
            NDArray input = inputs[i];
            if (input.DType != types[i].DType || !input.Shape.Equals(types[i].Shape)) return false;
            if (recording && gradient[i] != CarriesGradient(input)) return false;
        }

        return true;
    }

    /// <summary>The first part in which <paramref name="other"/> differs.</summary>
    public string Difference(HybridSignature other)
    {
        if (types.Length != other.Types.Length) return $"{types.Length} inputs, before {other.Types.Length}";
        for (int i = 0; i < types.Length; i++)
            if (types[i] != other.Types[i]) return $"input {i} is {types[i]}, before {other.Types[i]}";
        if (training != other.Training) return $"training is {training}, before {other.Training}";
        if (recording != other.Recording) return $"recording is {recording}, before {other.Recording}";
        for (int i = 0; i < gradient.Length; i++)
            if (gradient[i] != other.Gradient[i]) return $"input {i} {(gradient[i] ? "carries" : "does not carry")} a gradient";
        return "a captured array began or ceased to carry a gradient";
    }

    private static bool CarriesGradient(NDArray input) => input.Source is not null && input.DType.IsFloat;
}
