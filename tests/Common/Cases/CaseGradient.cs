namespace Fusion.Tests;

/// <summary>A case as a function of its differentiable inputs, the others fixed.</summary>
internal sealed class CaseGradient
{
    private readonly NDArray[] _inputs;
    private readonly int[] _free;

    public CaseGradient(OpCase test, Shape[] shapes, DType dtype, int seed = 0)
        : this(test, CaseInputs.Draw(test, shapes, DType.Float32, seed), dtype)
    {
    }

    /// <param name="test">The case.</param>
    /// <param name="inputs">Its inputs, converted to <paramref name="dtype"/> where they are differentiable.</param>
    /// <param name="dtype">The type of the variables.</param>
    public CaseGradient(OpCase test, NDArray[] inputs, DType dtype)
    {
        _inputs = [.. inputs.Select((x, i) => test.DomainOf(i).IsDifferentiable && x.DType != dtype ? x.AsType(dtype) : x)];
        _free = [.. Enumerable.Range(0, _inputs.Length).Where(i => test.DomainOf(i).IsDifferentiable)];
    }

    /// <summary>The differentiable inputs.</summary>
    public NDArray[] Variables => [.. _free.Select(i => _inputs[i])];

    /// <summary>All inputs.</summary>
    public NDArray[] Inputs => _inputs;

    /// <summary>The case's result, weighted so that its sum depends on every element.</summary>
    public NDArray Weighted(Func<NDArray[], NDArray> call, NDArray[] variables)
    {
        NDArray result = call(With(variables));
        return result * Weights(result.Shape, result.DType, 0);
    }

    /// <summary>
    /// The gradients of a function of all inputs, which may be compiled, with respect to the variables; for order 2 also those of a weighted sum of them.
    /// </summary>
    public NDArray[] Of(ArrayFunction f, int order) => At(Variables, f, order);

    /// <summary>The same at given values of the variables, which may be symbols of a trace.</summary>
    public NDArray[] At(NDArray[] values, ArrayFunction f, int order)
    {
        NDArray[] variables = [.. values.Select(static x => x.Detach())];
        foreach (NDArray variable in variables) variable.Mark(variable, GradReq.Write);
        using RecordScope scope = Autograd.Record(trainMode: false);
        NDArray head = f(With(variables))[0];
        if (head.Source is null) return [.. variables.Select(static x => x.ZerosLike())];
        NDArray[] gradients = Autograd.Grad([head], variables, [Weights(head.Shape, head.DType, 1)], createGraph: order > 1, allowUnused: true);
        if (order == 1) return gradients;
        int[] heads = [.. Enumerable.Range(0, gradients.Length).Where(i => gradients[i].Source is not null)];
        if (heads.Length == 0) return gradients;
        NDArray[] second = Autograd.Grad(
            [.. heads.Select(i => gradients[i])], variables, [.. heads.Select(i => Weights(gradients[i].Shape, gradients[i].DType, i + 2))], allowUnused: true);
        return [.. gradients, .. second];
    }

    private NDArray[] With(NDArray[] variables)
    {
        NDArray[] inputs = [.. _inputs];
        for (int i = 0; i < variables.Length; i++) inputs[_free[i]] = variables[i];
        return inputs;
    }

    private static NDArray Weights(Shape shape, DType dtype, int salt)
    {
        double[] weights = new double[shape.Size];
        for (int i = 0; i < weights.Length; i++) weights[i] = 0.5 + (((i * 7) + (salt * 5)) % 11 / 8.0);
        return Nd.Array(weights, shape).AsType(dtype);
    }
}
