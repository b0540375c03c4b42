namespace Fusion.Tests.Training;

/// <summary>Steps of one drawing eagerly and compiled, whose bits agree, and in plain loops of double, where rounding is not what the formula amplifies.</summary>
internal static class OptimizerCheck
{
    private const int Steps = 8;

    /// <summary>What differs first, or null.</summary>
    public static string? Difference(int seed)
    {
        OptimizerDrawing eager = new(seed), compiled = new(seed);
        OptimizerReference reference = new(eager);
        Random random = new(seed);
        Dictionary<int, Func<NDArray, NDArray>> functions = [];
        for (int step = 0; step < Steps; step++)
        {
            // What the loss depends on is a C# number, a constant of a trace: a function for each.
            int now = step;
            Func<NDArray, NDArray> function = w => compiled.Step(w, now);
            if (!functions.TryGetValue(eager.Reached(step), out Func<NDArray, NDArray>? f))
                functions.Add(eager.Reached(step), f = function.Hybridize(new HybridOptions { FallbackToEager = false }).Invoke);
            NDArray weight = Nd.Scalar(0.5 + random.NextDouble(), DType.Float64);
            if (random.Next(4) == 0) eager.Optimizer.LearningRate = compiled.Optimizer.LearningRate = random.Next(3) * 0.02;
            reference.Step(weight.Item<double>(), step, eager.Optimizer.LearningRate);
            NDArray expected = eager.Step(weight, step), actual = f(weight);
            string? difference = Bits.Difference(expected, actual) ?? Compare(eager, compiled) ?? (eager.IsExact ? reference.Difference() : null);
            if (difference is not null) return $"{eager}, step {step}: {difference}";
        }

        return null;
    }

    private static string? Compare(OptimizerDrawing eager, OptimizerDrawing compiled)
    {
        if (eager.Optimizer.LearningRate != compiled.Optimizer.LearningRate) return $"the rate is {compiled.Optimizer.LearningRate}, expected {eager.Optimizer.LearningRate}";
        if (eager.Optimizer.StepCount != compiled.Optimizer.StepCount) return $"{compiled.Optimizer.StepCount} steps, expected {eager.Optimizer.StepCount}";
        for (int i = 0; i < eager.Parameters.Length; i++)
        {
            (NDArray p, NDArray own) = (eager.Parameters[i], compiled.Parameters[i]);
            if (Bits.Difference(p, own) is { } value) return $"parameter {i}: {value}";
            if (Bits.Difference(p.Grad, own.Grad) is { } gradient) return $"gradient {i}: {gradient}";
            if (p.FreshGrad != own.FreshGrad) return $"gradient {i} is fresh: {own.FreshGrad}, expected {p.FreshGrad}";
        }

        return null;
    }
}
