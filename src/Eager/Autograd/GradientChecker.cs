namespace Fusion;

/// <summary>
/// Finite differences against recorded gradients, in Float64 with the step ε^⅓·max(1, |x|) that balances truncation and rounding of central
/// differences (Press et al., Numerical Recipes, 3rd ed., section 5.7).
/// </summary>
internal sealed class GradientChecker(Func<IReadOnlyList<NDArray>, NDArray> f, IReadOnlyList<NDArray> inputs)
{
    /// <summary>Beyond it nothing is left of the digits that differences have, and what is recorded grows with each order.</summary>
    public const int MaxOrder = 16;

    private const double Tolerance = 1e-5;
    private const double Step = 6.0554544523933429e-6;

    private double _worst;
    private string _place = "no entry";
    private bool _passed = true;

    public GradientCheckReport Check(int order)
    {
        double[][] point = new double[inputs.Count][];
        for (int i = 0; i < point.Length; i++)
        {
            NDArray input = inputs[i] ?? throw new ArgumentException($"CheckGradients: input {i} is null.");
            input.ThrowIfUnattachable("CheckGradients");
            point[i] = Elements.To(input.Detach(), DType.Float64).ToArray<double>();
        }

        for (int k = 1; k <= order; k++) CheckOrder(point, k);
        return new GradientCheckReport(_passed, _worst, _place);
    }

    private void CheckOrder(double[][] point, int order)
    {
        double[][] computed = Gradients(point, order);
        for (int i = 0; i < point.Length; i++)
        {
            for (int j = 0; j < point[i].Length; j++)
            {
                double x = point[i][j];
                double h = Step * Math.Max(1, Math.Abs(x));
                point[i][j] = x + h;
                double above = Value(point, order - 1);
                point[i][j] = x - h;
                double below = Value(point, order - 1);
                point[i][j] = x;
                Compare(order, i, j, computed[i][j], (above - below) / (x + h - (x - h)));
            }
        }
    }

    private void Compare(int order, int input, int position, double computed, double numeric)
    {
        double error = Math.Abs(computed - numeric) / Math.Max(1, Math.Max(Math.Abs(computed), Math.Abs(numeric)));
        if (double.IsNaN(error)) error = double.PositiveInfinity;
        if (error > Tolerance) _passed = false;
        if (error < _worst || (error == 0 && _place != "no entry")) return;
        _worst = error;
        _place = $"order {order}, input {input}, position {position}: computed {computed:G9}, numeric {numeric:G9}";
    }

    /// <summary>The scalar whose gradient is order + 1: Σ f for order 0, else a weighted sum of all gradients of that order.</summary>
    private double Value(double[][] point, int order)
    {
        NDArray[] variables = Variables(point);
        using RecordScope scope = Autograd.Record(trainMode: Autograd.IsTraining);
        return Scalar(variables, order).Item<double>();
    }

    private double[][] Gradients(double[][] point, int order)
    {
        NDArray[] variables = Variables(point);
        using RecordScope scope = Autograd.Record(trainMode: Autograd.IsTraining);
        NDArray head = Scalar(variables, order - 1);
        if (head.Source is null) return Array.ConvertAll(point, static p => new double[p.Length]);
        NDArray[] gradients = Autograd.Grad([head], variables, allowUnused: true);
        return Array.ConvertAll(gradients, static g => g.ToArray<double>());
    }

    private NDArray Scalar(NDArray[] variables, int order)
    {
        NDArray head = Nd.Sum(f(variables));
        for (int k = 0; k < order; k++)
        {
            if (head.Source is null) return Nd.Scalar(0, DType.Float64);
            NDArray[] gradients = Autograd.Grad([head], variables, createGraph: true, allowUnused: true);
            NDArray sum = Nd.Scalar(0, DType.Float64);
            for (int i = 0; i < gradients.Length; i++) sum += Nd.Sum(gradients[i] * Weights(gradients[i].Shape, i + k));
            head = sum;
        }

        return head;
    }

    private NDArray[] Variables(double[][] point)
    {
        NDArray[] variables = new NDArray[point.Length];
        for (int i = 0; i < point.Length; i++)
        {
            variables[i] = Nd.Array(point[i], inputs[i].Shape);
            variables[i].AttachGrad();
        }

        return variables;
    }

    // Different weights, so that errors of different entries do not cancel.
    private static NDArray Weights(Shape shape, int salt)
    {
        double[] weights = new double[shape.Size];
        for (int i = 0; i < weights.Length; i++) weights[i] = 0.5 + (i * 7 + salt * 3) % 11 / 10.0;
        return Nd.Array(weights, shape);
    }
}
