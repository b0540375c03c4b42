using Fusion.Oracle.Programs;
using Fusion.Peers.Table;
using Fusion.Tests;
using TorchSharp;
using static TorchSharp.torch;

namespace Fusion.Oracle.Cases;

/// <summary>One case on both sides: results, gradients of inputs and parameters; eager, and compiled to the same bits.</summary>
internal sealed record CaseComparison(int Compared, double Error, string? Failure, string? Refused)
{
    /// <summary>The error that is allowed, in units of ε of the largest magnitude, at least 1.</summary>
    private const double Allowed = 64;

    public static CaseComparison Of(CaseRow row, int seed, DType dtype)
    {
        using DisposeScope scope = NewDisposeScope();
        RandomCase drawn = row.Draw(new CaseDraw(seed, dtype));
        try
        {
            (List<NDArray> ours, string? refusal) = Tried(() => Ours(drawn, compiled: false));
            Tensor[] inputs = [.. drawn.Inputs.Select(x => Their.Of(x, drawn.HasGradient && x.DType.IsFloat))];
            List<Tensor> theirs;
            try
            {
                theirs = Theirs(drawn, inputs);
            }
            catch (Exception e) when (e is System.Runtime.InteropServices.ExternalException or ArgumentException)
            {
                return new CaseComparison(0, 0, null, $"{drawn.Text}: {e.Message.Split('\n')[0]}; ours: {refusal ?? "accepted"}");
            }

            if (refusal is not null) return new CaseComparison(0, 0, refusal, null);
            if (ours.Count != theirs.Count) return new CaseComparison(0, 0, $"{ours.Count} arrays, LibTorch {theirs.Count}", null);
            double worst = 0;
            int compared = 0;
            for (int i = 0; i < ours.Count; i++)
            {
                (double error, string? failure) = Difference(ours[i], theirs[i], drawn, dtype);
                if (failure is not null) return new CaseComparison(compared, error, $"array {i}, {failure}", null);
                (worst, compared) = (Math.Max(worst, error), compared + (int)ours[i].Size);
            }

            List<NDArray> hybrid = Ours(drawn, compiled: true);
            return new CaseComparison(compared, worst, Bits.Difference(ours, hybrid) is { } bits ? $"compiled: {bits}" : null, null);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return new CaseComparison(0, 0, Message(e), null);
        }
    }

    private static (List<NDArray> Found, string? Refusal) Tried(Func<List<NDArray>> f)
    {
        try
        {
            return (f(), null);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return ([], Message(e));
        }
    }

    private static string Message(Exception e) => $"{e.GetType().Name}: {e.Message.Split('\n')[0]} {e.StackTrace?.Split('\n')[0].Trim()}";

    // Results, then gradients.
    private static List<NDArray> Ours(RandomCase drawn, bool compiled)
    {
        Nd.Random.Seed(77);
        OurSide side = drawn.Ours(compiled);
        NDArray[] inputs = [.. drawn.Inputs.Select(static x => x.Detach())];
        if (!drawn.HasGradient) return [.. side.Function(inputs)];
        NDArray[] variables = [.. inputs.Where(static x => x.DType.IsFloat), .. side.Parameters];
        foreach (NDArray variable in variables)
            if (variable.GradReq == GradReq.Null) variable.AttachGrad();
        using RecordScope scope = Autograd.Record(drawn.IsTraining);
        IReadOnlyList<NDArray> outputs = side.Function(inputs);
        int[] heads = [.. Enumerable.Range(0, outputs.Count).Where(i => outputs[i].DType.IsFloat)];
        NDArray[] gradients = Autograd.Grad([.. heads.Select(i => outputs[i])], variables, [.. heads.Select(i => Head(outputs[i], i))], allowUnused: true);
        return [.. outputs, .. gradients];
    }

    private static List<Tensor> Theirs(RandomCase drawn, Tensor[] inputs)
    {
        TheirSide side = drawn.Theirs(inputs);
        if (!drawn.HasGradient) return [.. side.Outputs];
        Tensor[] variables = [.. inputs.Where(static x => x.is_floating_point()), .. side.Parameters];
        int[] heads = [.. Enumerable.Range(0, side.Outputs.Length).Where(i => side.Outputs[i].requires_grad)];
        IList<Tensor> gradients = heads.Length == 0 ? [.. variables.Select(static v => zeros_like(v))]
            : autograd.grad([.. heads.Select(i => side.Outputs[i])], variables, [.. heads.Select(i => Their.Of(TheirRun.Head(side.Outputs[i].shape, i)))], allow_unused: true);
        return [.. side.Outputs, .. gradients.Select((g, i) => g is { IsInvalid: false } ? g : zeros_like(variables[i]))];
    }

    private static NDArray Head(NDArray of, int seed) => TheirRun.Head(of.Shape.Longs(), seed).AsType(of.DType);

    private static (double Error, string? Failure) Difference(NDArray actual, Tensor expected, RandomCase drawn, DType dtype)
    {
        if (!actual.Shape.Longs().SequenceEqual(expected.shape)) return (double.NaN, $"shape {actual.Shape}, LibTorch ({string.Join(", ", expected.shape)})");
        double[] ours = actual.AsType(DType.Float64).ToArray<double>(), theirs = TorchArrays.Elements(expected);
        // Inputs are about 1, and so is what a small result is the difference of.
        double scale = Math.Max(1, theirs.Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty(0).Max());
        double worst = 0;
        for (int i = 0; i < ours.Length; i++)
        {
            if (ours[i] == theirs[i] || (double.IsNaN(ours[i]) && double.IsNaN(theirs[i]))) continue;
            double error = actual.DType.IsFloat ? Math.Abs(ours[i] - theirs[i]) / (Tolerance.Epsilon(dtype) * scale) : double.PositiveInfinity;
            if (!(error <= Allowed * drawn.Slack)) return (error, $"element {i}: {ours[i]:R}, LibTorch {theirs[i]:R}");
            worst = Math.Max(worst, error);
        }

        return (worst, null);
    }
}
