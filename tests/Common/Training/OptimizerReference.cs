using Fusion.Optim;

namespace Fusion.Tests.Training;

/// <summary>The formulas of PyTorch 2 (torch/optim, and clip_grad_norm_) in plain loops of double; LAMB as in the paper.</summary>
internal sealed class OptimizerReference
{
    private readonly OptimizerDrawing _drawing;
    private readonly double[][][] _states;
    private readonly int[] _updates;
    private readonly bool[] _adds;

    public OptimizerReference(OptimizerDrawing drawing)
    {
        _drawing = drawing;
        Parameters = [.. drawing.Parameters.Select(OptimizerDrawing.Doubles)];
        Gradients = [.. Parameters.Select(static p => new double[p.Length])];
        _states = [.. Parameters.Select(static p => new double[3][] { new double[p.Length], new double[p.Length], new double[p.Length] })];
        _updates = new int[Parameters.Length];
        _adds = [.. drawing.Parameters.Select(static p => p.GradReq == GradReq.Add)];
        Slopes = [.. Parameters.Select((_, i) => drawing.Slopes(i))];
        Centers = [.. Parameters.Select((_, i) => drawing.Centers(i))];
    }

    private double[][] Parameters { get; }

    private double[][] Gradients { get; }

    private double[][] Slopes { get; }

    private double[][] Centers { get; }

    /// <summary>One step of the drawing.</summary>
    public void Step(double weight, int step, double rate)
    {
        if (_drawing.ZeroFirst) Zero();
        for (int i = 0; i < Parameters.Length; i++)
        {
            if (!_drawing.Reaches(step, i)) continue;
            for (int k = 0; k < Parameters[i].Length; k++)
            {
                double g = Slopes[i][k] * (Parameters[i][k] - Centers[i][k]) * weight;
                Gradients[i][k] = _adds[i] ? Gradients[i][k] + g : g;
            }
        }

        if (_drawing.Clip > 0)
        {
            double norm = Math.Sqrt(Gradients.Sum(static g => g.Sum(static x => x * x))), factor = Math.Min(1, _drawing.Clip / (norm + 1e-6));
            foreach (double[] gradient in Gradients)
                for (int k = 0; k < gradient.Length; k++) gradient[k] *= factor;
        }

        for (int i = 0; i < Parameters.Length; i++)
            if (_drawing.Reaches(step, i)) Update(i, rate);
        if (_drawing.ZeroLast) Zero();
    }

    /// <summary>Where the drawing's parameters are others than these, or null.</summary>
    public string? Difference()
    {
        for (int i = 0; i < Parameters.Length; i++)
        {
            double[] actual = OptimizerDrawing.Doubles(_drawing.Parameters[i]);
            for (int k = 0; k < actual.Length; k++)
                if (!(Math.Abs(actual[k] - Parameters[i][k]) <= 1e-9 * (1 + Math.Abs(actual[k])))) return $"parameter {i}, [{k}]: {actual[k]:R}, by the formula {Parameters[i][k]:R}";
        }

        return null;
    }

    private void Zero()
    {
        foreach (double[] gradient in Gradients) Array.Clear(gradient);
    }

    private void Update(int i, double rate)
    {
        double O(string name) => _drawing.Options.GetValueOrDefault(name);
        double[] p = Parameters[i], gradient = Gradients[i];
        (double[] a, double[] b, double[] c) = (_states[i][0], _states[i][1], _states[i][2]);
        int t = ++_updates[i];
        double decay = O("decay"), epsilon = O("epsilon"), beta1 = O("beta1"), beta2 = O("beta2");
        double correction1 = 1 - Math.Pow(beta1, t), correction2 = 1 - Math.Pow(beta2, t);
        double[] u = new double[p.Length];
        for (int k = 0; k < p.Length; k++)
        {
            double g = gradient[k];
            if (_drawing.Optimizer is not (AdamW or Lamb)) g += decay * p[k];
            switch (_drawing.Optimizer)
            {
                case Sgd:
                    double momentum = O("momentum");
                    if (momentum == 0)
                    {
                        p[k] -= rate * g;
                        break;
                    }

                    a[k] = t == 1 ? g : momentum * a[k] + g;
                    p[k] -= rate * (O("nesterov") > 0 ? g + momentum * a[k] : a[k]);
                    break;
                case AdamW or Adam:
                    if (_drawing.Optimizer is AdamW) p[k] *= 1 - rate * decay;
                    a[k] = beta1 * a[k] + (1 - beta1) * g;
                    b[k] = beta2 * b[k] + (1 - beta2) * g * g;
                    c[k] = O("amsGrad") > 0 ? Math.Max(c[k], b[k]) : b[k];
                    p[k] -= rate / correction1 * a[k] / (Math.Sqrt(c[k]) / Math.Sqrt(correction2) + epsilon);
                    break;
                case RmsProp:
                    double alpha = O("alpha");
                    a[k] = alpha * a[k] + (1 - alpha) * g * g;
                    double spread = a[k];
                    if (O("centered") > 0)
                    {
                        b[k] = alpha * b[k] + (1 - alpha) * g;
                        spread = Math.Max(0, spread - b[k] * b[k]);
                    }

                    double d = g / (Math.Sqrt(spread) + epsilon);
                    c[k] = O("momentum") * c[k] + d;
                    p[k] -= rate * c[k];
                    break;
                case AdaGrad:
                    if (t == 1) a[k] = O("initial");
                    a[k] += g * g;
                    p[k] -= rate / (1 + (t - 1) * O("rateDecay")) * g / (Math.Sqrt(a[k]) + epsilon);
                    break;
                case AdaDelta:
                    double rho = O("rho");
                    a[k] = rho * a[k] + (1 - rho) * g * g;
                    double delta = Math.Sqrt(b[k] + epsilon) / Math.Sqrt(a[k] + epsilon) * g;
                    b[k] = rho * b[k] + (1 - rho) * delta * delta;
                    p[k] -= rate * delta;
                    break;
                default:
                    a[k] = beta1 * a[k] + (1 - beta1) * g;
                    b[k] = beta2 * b[k] + (1 - beta2) * g * g;
                    u[k] = a[k] / correction1 / (Math.Sqrt(b[k] / correction2) + epsilon) + decay * p[k];
                    break;
            }
        }

        if (_drawing.Optimizer is not Lamb) return;
        double size = Math.Sqrt(p.Sum(static x => x * x)), length = Math.Sqrt(u.Sum(static x => x * x)), ratio = size > 0 && length > 0 ? size / length : 1;
        for (int k = 0; k < p.Length; k++) p[k] -= rate * ratio * u[k];
    }
}
