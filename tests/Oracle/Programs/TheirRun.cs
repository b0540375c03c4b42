using TorchSharp;
using static TorchSharp.torch;

namespace Fusion.Oracle.Programs;

/// <summary>
/// What LibTorch makes of a program in Float64: results, gradients of the inputs, gradients of these gradients. With an amplitude, every operand and
/// every result is multiplied by random numbers near 1, forward and backward: what that changes is how far roundings may go.
/// </summary>
internal sealed class TheirRun
{
    private static bool s_isBlurred;

    public List<Tensor> Results { get; private init; } = [];

    /// <summary>Which results depend on inputs that have gradients.</summary>
    public int[] Heads { get; private init; } = [];

    public List<Tensor> Gradients { get; private init; } = [];

    /// <summary>Whether a value is too large for its type in ours, so that nothing can be said of what follows.</summary>
    public bool Overflows { get; private init; }

    public List<Tensor> SecondGradients { get; private init; } = [];

    /// <summary>Which gradients can be differentiated again.</summary>
    public int[] Again { get; private init; } = [];

    /// <summary>Runs a program.</summary>
    /// <param name="seed">Of the errors; 0 for none, 1 and 2 for those of one sign.</param>
    /// <param name="second">Whether to differentiate twice.</param>
    public static TheirRun Of(OracleProgram program, NDArray[] inputs, int seed, bool second)
    {
        // Only the values leave: ten runs whose graphs stay alive have filled a machine's memory.
        using DisposeScope scope = NewDisposeScope();
        ProgramPlan plan = program.PlanFor(inputs);
        Tensor[] variables = [.. inputs.Select(static x => Their.Of(x, x.DType.IsFloat))];
        List<Tensor> values = [.. variables];
        bool overflows = false;
        s_isBlurred = seed != 0;
        Their.Sign = seed switch { 1 => 1, 2 => -1, _ => 0 };
        random.manual_seed(seed);
        for (int i = 0; i < program.Body.Length; i++)
        {
            DType type = plan.Values[inputs.Length + i].DType;
            int[] operands = program.Body[i].Operands;
            // Functions of integers would be computed in Float32.
            Tensor[] arguments = [.. operands.Select(k => Blurred(
                type.IsFloat && plan.Values[k].DType is DType.Int32 or DType.Int64 ? values[k].to_type(ScalarType.Float64) : values[k], plan.Values[k].DType, type))];
            Tensor value = Called(plan.Steps[i], arguments);
            if (plan.Steps[i].IsTyped && value.is_floating_point() != type.IsFloat) throw new InvalidOperationException($"{plan.Steps[i].OursText} is {type}, in LibTorch {value.dtype}");
            value = value.to_type(Their.Type(type));
            overflows |= value.numel() > 0 && IsTooLarge(program.IsSpecial ? value.nan_to_num(0, 0, 0) : value, type);
            values.Add(Blurred(value, type, type));
        }

        Tensor[] results = [.. program.Results.Select(i => values[i])];
        int[] heads = [.. Enumerable.Range(0, results.Length).Where(i => results[i].is_floating_point() && results[i].requires_grad)];
        Tensor[] wanted = [.. variables.Where(static v => v.requires_grad)];
        List<Tensor> gradients = heads.Length == 0 ? []
            : Gradient([.. heads.Select(i => results[i])], wanted, [.. heads.Select(i => Their.Of(Head(results[i].shape, i)))], second);
        int[] again = second ? [.. Enumerable.Range(0, gradients.Count).Where(i => gradients[i].requires_grad)] : [];
        return new TheirRun
        {
            Results = Values(results),
            Heads = heads,
            Overflows = overflows,
            Gradients = Values(gradients),
            Again = again,
            SecondGradients = Values(Second(gradients, again, wanted)),
        };
    }

    /// <summary>A gradient to begin with, the same on both sides.</summary>
    public static NDArray Head(ReadOnlySpan<long> shape, int seed)
    {
        int[] sizes = new int[shape.Length];
        for (int i = 0; i < sizes.Length; i++) sizes[i] = (int)shape[i];
        Random random = new(seed + 1);
        Shape of = sizes;
        // Few bits, so that every floating-point type holds them.
        return Nd.Array(Enumerable.Range(0, (int)of.Size).Select(_ => (random.Next(15) - 7) / 8.0).ToArray(), of);
    }

    private static List<Tensor> Second(List<Tensor> gradients, int[] again, Tensor[] wanted) => again.Length == 0 ? []
        : Gradient([.. again.Select(i => gradients[i])], wanted, [.. again.Select(i => Their.Of(Head(gradients[i].shape, 100 + i)))], false);

    private static List<Tensor> Values(IEnumerable<Tensor> of) => [.. of.Select(static x => x.detach().MoveToOuterDisposeScope())];

    private static List<Tensor> Gradient(Tensor[] of, Tensor[] wanted, Tensor[] heads, bool again) =>
        [.. autograd.grad(of, wanted, heads, retain_graph: true, create_graph: again, allow_unused: true)
            .Select((g, i) => g is { IsInvalid: false } ? g : zeros_like(wanted[i]))];

    private static bool IsTooLarge(Tensor value, DType type) =>
        type.IsFloat && value.abs().max().item<double>() > (type switch { DType.Float64 => 1e100, DType.Float16 => 1e4, _ => 1e30 });

    private static Tensor Called(Step step, Tensor[] arguments)
    {
        try
        {
            return step.Theirs(arguments);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw new InvalidOperationException($"LibTorch, {step.TheirsText}: {e.Message.Split('\n')[0]}", e);
        }
    }

    private static Tensor Blurred(Tensor x, DType type, DType result)
    {
        Their.Amplitude = s_isBlurred ? 4 * Math.Max(Tolerance.Epsilon(type), Tolerance.Epsilon(result)) : 0;
        return Their.Rounded(x);
    }
}
