namespace Fusion.Tests.RandomGraphs;

/// <summary>Everything that one execution of a program gives: results, gradients, gradients of gradients.</summary>
public sealed class ProgramRun
{
    private const ulong Seed = 77;

    private readonly List<(string Name, NDArray? Value)> _values = [];

    /// <summary>Results without recording.</summary>
    public static ProgramRun Forward(Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> f, NDArray[] inputs)
    {
        ProgramRun run = new();
        Nd.Random.Seed(Seed);
        using (Autograd.TrainMode()) run.Add("result", f(inputs));
        return run;
    }

    /// <summary>Results in the mode of the caller, of a function that draws nothing.</summary>
    public static ProgramRun Plain(Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> f, NDArray[] inputs)
    {
        ProgramRun run = new();
        run.Add("result", f(inputs));
        return run;
    }

    /// <summary>Results, and the gradients of all inputs for head gradients that are not all the same.</summary>
    public static ProgramRun Backward(Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> f, NDArray[] inputs, NDArray captured, bool bothHeads = true)
    {
        ProgramRun run = new();
        Nd.Random.Seed(Seed);
        NDArray[] variables = [.. inputs.Select(static x => x.Detach()), captured];
        foreach (NDArray variable in Differentiable(variables)) variable.AttachGrad();
        IReadOnlyList<NDArray> results;
        using (Autograd.Record()) results = f(variables[..^1]);
        NDArray[] heads = [.. (bothHeads ? results : [results[0]]).Where(static r => r.DType.IsFloat && r.Source is not null)];
        if (heads.Length > 0) Autograd.Backward(heads, [.. heads.Select(static (h, i) => TestArrays.Uniform(h.Shape, 50 + i, h.DType).To(h.Device))]);
        run.Add("result", results);
        run.Add("gradient", [.. variables.Select(static v => v.Grad!)]);
        captured.DropGrad();
        return run;
    }

    /// <summary>The gradients of all inputs where these are used before and after the function too, and the function twice.</summary>
    public static ProgramRun Residual(Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> f, NDArray[] inputs, NDArray captured)
    {
        ProgramRun run = new();
        Nd.Random.Seed(Seed);
        NDArray[] variables = [.. inputs.Select(static x => x.Detach()), captured];
        foreach (NDArray variable in Differentiable(variables)) variable.AttachGrad();
        List<NDArray> heads = [];
        using (Autograd.Record())
        {
            heads.AddRange(Differentiable(variables).Select(static v => v.Sin()));
            heads.AddRange(f(variables[..^1]));
            heads.AddRange(Differentiable(variables).Select(static v => v * v));
            heads.AddRange(f(variables[..^1]));
            heads.AddRange(Differentiable(variables).Select(static v => v.Cos()));
        }

        heads.RemoveAll(static h => !h.DType.IsFloat || h.Source is null);
        if (heads.Count > 0) Autograd.Backward(heads, [.. heads.Select(static (h, i) => TestArrays.Uniform(h.Shape, 50 + i, h.DType).To(h.Device))]);
        run.Add("gradient", [.. variables.Select(static v => v.Grad!)]);
        captured.DropGrad();
        return run;
    }

    /// <summary>Gradients of the squared gradients of the first result, and of that result itself.</summary>
    public static ProgramRun SecondOrder(Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> f, NDArray[] inputs)
    {
        ProgramRun run = new();
        Nd.Random.Seed(Seed);
        NDArray[] variables = [.. inputs.Select(static x => x.Detach())];
        foreach (NDArray variable in Differentiable(variables)) variable.AttachGrad();
        using (Autograd.Record())
        {
            NDArray head = f(variables)[0];
            if (!head.DType.IsFloat || head.Source is null) return run;
            NDArray[] gradients = Autograd.Grad([head], Differentiable(variables), createGraph: true, allowUnused: true);
            run.Add("gradient", gradients);
            if (gradients.Length == 0) return run;
            NDArray penalty = gradients.Select(static g => g.Square().Sum()).Aggregate(static (a, b) => a + b);
            if (penalty.Source is not null) (penalty + head.Sum()).Backward();
        }

        run.Add("second gradient", [.. variables.Select(static v => v.Grad!)]);
        return run;
    }

    /// <summary>Results, and gradients of all inputs and of a captured variable, whose buffers are left alone: for calls at the same time.</summary>
    public static ProgramRun Gradients(Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> f, NDArray[] inputs, NDArray captured, bool trainMode)
    {
        ProgramRun run = new();
        NDArray[] own = [.. inputs.Select(static x => x.Detach())], variables = Differentiable([.. own, captured]);
        foreach (NDArray variable in Differentiable(own)) variable.AttachGrad();
        IReadOnlyList<NDArray> results;
        using (Autograd.Record(trainMode)) results = f(own);
        run.Add("result", results);
        NDArray[] heads = [.. results.Where(static r => r.DType.IsFloat && r.Source is not null)];
        if (heads.Length > 0 && variables.Length > 0)
            run.Add("gradient", Autograd.Grad(heads, variables, [.. heads.Select(static (h, i) => TestArrays.Uniform(h.Shape, 50 + i, h.DType).To(h.Device))], allowUnused: true));
        return run;
    }

    /// <summary>The first value that differs, or null.</summary>
    public string? Difference(ProgramRun actual)
    {
        if (_values.Count != actual._values.Count) return $"{actual._values.Count} values, expected {_values.Count}";
        for (int i = 0; i < _values.Count; i++)
            if (Bits.Difference(_values[i].Value, actual._values[i].Value) is { } difference) return $"{_values[i].Name}: {difference}";
        return null;
    }

    /// <summary>Adds values under a name.</summary>
    public void Add(string name, IEnumerable<NDArray?> values)
    {
        foreach (NDArray? value in values) _values.Add(($"{name} {_values.Count}", value?.To(Device.Cpu)));
    }

    private static NDArray[] Differentiable(NDArray[] arrays) => Array.FindAll(arrays, static x => x.DType.IsFloat);
}
