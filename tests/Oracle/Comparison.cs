using Fusion.Peers.Table;
using TorchSharp;
using static TorchSharp.torch;

namespace Fusion.Oracle;

/// <summary>
/// One row, in one element type: the largest error of the values and of the gradients, or what went wrong. LibTorch computes in Float64 on the same inputs
/// in both cases: its Float32 has errors of its own, such as the gradient of a convolution's input with few channels in version 2.10.
/// </summary>
internal sealed record Comparison(OperatorRow Row, DType DType, double ValueError, double GradientError, string? Failure)
{
    /// <summary>The error that is allowed, in units of ε of the larger of the element itself and the mean magnitude.</summary>
    private const double Allowed = 64;

    public static Comparison Of(OperatorRow row, DType dtype, int seed)
    {
        using DisposeScope scope = NewDisposeScope();
        try
        {
            NDArray[] x = row.Draw(seed, timed: false, dtype);
            Tensor[] t = [.. x.Select((a, i) =>
                TorchArrays.Of(a.DType.IsFloat ? a.AsType(DType.Float64) : a, row.IsDifferentiable && row.Operands[i].IsVariable))];
            foreach (int i in Variables(row)) x[i].AttachGrad();
            NDArray y;
            using (Autograd.Record(trainMode: false)) y = row.Ours(x);
            Tensor u = row.Theirs(t);
            (double value, string? failure) = Difference("value", y, u, row, dtype);
            double gradient = 0;
            if (failure is null && row.IsDifferentiable) (gradient, failure) = Gradients(row, dtype, seed, x, t, y, u);
            return new Comparison(row, dtype, value, gradient, failure);
        }
        catch (Exception e)
        {
            return new Comparison(row, dtype, double.NaN, double.NaN, $"{e.GetType().Name}: {e.Message.Split('\n')[0]}");
        }
    }

    private static (double Error, string? Failure) Gradients(OperatorRow row, DType dtype, int seed, NDArray[] x, Tensor[] t, NDArray y, Tensor u)
    {
        int[] variables = Variables(row);
        NDArray head = Operand.Real(y.Shape, y.Shape).Draw(new Random(seed + 1), timed: false, dtype);
        NDArray[] ours = Autograd.Grad([y], [.. variables.Select(i => x[i])], [head], allowUnused: true);
        IList<Tensor> theirs = autograd.grad([u], [.. variables.Select(i => t[i])], [TorchArrays.Of(head.AsType(DType.Float64))], allow_unused: true);
        double worst = 0;
        for (int i = 0; i < ours.Length; i++)
        {
            // A variable that LibTorch does not reach has the gradient 0 in ours.
            Tensor expected = theirs[i] is { IsInvalid: false } found ? found : zeros_like(t[variables[i]]);
            (double error, string? failure) = Difference($"gradient {variables[i]}", ours[i], expected, row, dtype);
            if (failure is not null) return (error, failure);
            worst = Math.Max(worst, error);
        }

        return (worst, null);
    }

    private static int[] Variables(OperatorRow row) =>
        row.IsDifferentiable ? [.. Enumerable.Range(0, row.Operands.Length).Where(i => row.Operands[i].IsVariable)] : [];

    private static (double Error, string? Failure) Difference(string what, NDArray actual, Tensor expected, OperatorRow row, DType dtype)
    {
        if (!actual.Shape.Dimensions.ToArray().Select(static d => (long)d).SequenceEqual(expected.shape))
            return (double.NaN, $"{what}: shape {actual.Shape}, LibTorch ({string.Join(", ", expected.shape)})");
        double[] ours = actual.AsType(DType.Float64).ToArray<double>(), theirs = TorchArrays.Elements(expected);
        double epsilon = dtype == DType.Float32 ? 1.1920928955078125e-7 : 2.220446049250313e-16;
        double scale = theirs.Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty(0).Average();
        double worst = 0;
        for (int i = 0; i < ours.Length; i++)
        {
            if (ours[i] == theirs[i] || (double.IsNaN(ours[i]) && double.IsNaN(theirs[i]))) continue;
            double error = Math.Abs(ours[i] - theirs[i]) / (epsilon * Math.Max(Math.Abs(theirs[i]), Math.Max(scale, 1e-30)));
            if (!(error <= Allowed * (dtype == DType.Float64 ? row.Slack64 : row.Slack))) return (error,
                $"{what}, element {i}: {ours[i]:R}, LibTorch {theirs[i]:R}");
            worst = Math.Max(worst, error);
        }

        return (worst, null);
    }
}
