using Fusion.Kernels;

namespace Fusion;

/// <summary>What a variant was compiled for. Compared field by field at every call, without allocating.</summary>
internal sealed class HybridSignature(TensorType[] types, GpuDevice?[] devices, bool training, bool recording, bool repeats, GradientMark[] marks)
{
    public TensorType[] Types => types;

    /// <summary>The accelerator of the inputs; null: the processor's memory.</summary>
    public GpuDevice? Device => Array.Find(devices, static d => d is not null);

    public bool Training => training;

    public bool Recording => recording;

    /// <summary>A checkpoint calls it once more for its gradient: running statistics are not written again.</summary>
    public bool Repeats => repeats;

    /// <summary>How the inputs carry gradients.</summary>
    public GradientMark[] Marks => marks;

    /// <summary>Which inputs carry a gradient.</summary>
    public bool[] Gradient => Array.ConvertAll(marks, static m => m != GradientMark.None);

    /// <summary>The function records itself, or asks for gradient buffers: how inputs and captured arrays carry gradients matters in any case.</summary>
    public bool RecordsInside { get; set; }

    /// <summary>How inputs carry gradients matters in any case.</summary>
    public bool ReadsMarks { get; set; }

    private GpuDevice?[] Devices => devices;

    public static HybridSignature Of(ReadOnlySpan<NDArray> inputs, ExecutionState state)
    {
        TensorType[] types = new TensorType[inputs.Length];
        GpuDevice?[] devices = new GpuDevice?[inputs.Length];
        GradientMark[] marks = new GradientMark[inputs.Length];
        for (int i = 0; i < types.Length; i++)
        {
            types[i] = inputs[i].Type;
            devices[i] = inputs[i].Accelerator;
            marks[i] = TracedInput.MarkOf(inputs[i]);
        }

        return new HybridSignature(types, devices, state.Training, state.Recording, state.Repeats, marks);
    }

    public bool Matches(ReadOnlySpan<NDArray> inputs, ExecutionState state)
    {
        if (inputs.Length != types.Length || training != state.Training || recording != state.Recording || repeats != state.Repeats) return false;
        for (int i = 0; i < types.Length; i++)
        {
            NDArray input = inputs[i];
            if (input.DType != types[i].DType || !input.Shape.Equals(types[i].Shape) || !ReferenceEquals(input.Accelerator, devices[i])) return false;
            if (!recording && !ReadsMarks) continue;
            GradientMark mark = TracedInput.MarkOf(input);
            if (ReadsMarks ? mark != marks[i] : (mark == GradientMark.None) != (marks[i] == GradientMark.None)) return false;
        }

        return true;
    }

    /// <summary>The first part in which <paramref name="other"/> differs.</summary>
    public string Difference(HybridSignature other)
    {
        if (types.Length != other.Types.Length) return $"{types.Length} inputs, before {other.Types.Length}";
        for (int i = 0; i < types.Length; i++)
        {
            if (types[i] != other.Types[i]) return $"input {i} is {types[i]}, before {other.Types[i]}";
            if (!ReferenceEquals(devices[i], other.Devices[i])) return $"input {i} is on {Name(devices[i])}, before on {Name(other.Devices[i])}";
        }

        if (training != other.Training) return $"training is {training}, before {other.Training}";
        if (recording != other.Recording) return $"recording is {recording}, before {other.Recording}";
        if (repeats != other.Repeats) return $"a checkpoint {(repeats ? "repeats" : "makes")} the call, before it {(other.Repeats ? "repeated" : "made")} it";
        for (int i = 0; i < marks.Length; i++)
        {
            if ((marks[i] == GradientMark.None) != (other.Marks[i] == GradientMark.None)) return $"input {i} {(marks[i] == GradientMark.None ? "does not carry" : "carries")} a gradient";
            if (marks[i] != other.Marks[i]) return $"the gradient of input {i} is marked {marks[i]}, before {other.Marks[i]}";
        }

        return "a captured array was moved to another device, began or ceased to carry a gradient, or state that the trace relied on has changed";
    }

    private static string Name(GpuDevice? device) => device?.Name ?? Fusion.Device.Cpu.Name;
}
