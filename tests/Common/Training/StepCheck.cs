using Fusion.Optim;

namespace Fusion.Tests.Training;

/// <summary>Calls a <see cref="StepProgram"/> eagerly and as one compiled step, on batches of changing size: results and all state have the same bits.</summary>
internal static class StepCheck
{
    private const int Calls = 4;

    /// <summary>What differs first, or null.</summary>
    public static string? Difference(int seed)
    {
        StepProgram eager = new(seed), compiled = new(seed);
        HybridFunction<Func<NDArray, NDArray>> step = new Func<NDArray, NDArray>(compiled.Step).Hybridize(new HybridOptions { FallbackToEager = false });
        Random random = new(seed), first = new(seed), second = new(seed);
        for (int call = 0; call < Calls; call++)
        {
            NDArray x = StepProgram.Draw((random.Next(5) == 0 ? 2 : 4, 3), random);
            eager.Change(first);
            compiled.Change(second);
            RandomState place = Nd.Random.Place;
            (NDArray? expected, Exception? error) = Try(eager.Step, x);
            RandomState after = Nd.Random.Place;
            Nd.Random.Place = place;
            (NDArray? actual, Exception? other) = Try(step.Invoke, x);
            if (error?.Message != other?.Message) return $"call {call}: {other?.ToString() ?? "no error"}, expected {error?.ToString() ?? "none"}\n{eager}";

            // What an eager step did before it failed is done; a compiled one changes nothing.
            if (error is not null) return null;
            string? difference = Bits.Difference(expected, actual) ?? (Nd.Random.Place == after ? Compare(eager, compiled) : "the random state");
            if (difference is not null) return $"call {call}: {difference}\n{eager}";
        }

        return null;
    }

    private static string? Compare(StepProgram eager, StepProgram compiled)
    {
        foreach ((Optimizer one, Optimizer own) in eager.Optimizers.Zip(compiled.Optimizers))
            if ((one.LearningRate, one.StepCount) != (own.LearningRate, own.StepCount)) return $"rate {own.LearningRate} and {own.StepCount} steps, expected {one.LearningRate} and {one.StepCount}";
        foreach (((string name, NDArray array), (_, NDArray own)) in eager.State.Zip(compiled.State))
        {
            if (Bits.Difference(array, own) is { } value) return $"{name}: {value}";
            if (Bits.Difference(array.Grad, own.Grad) is { } gradient) return $"the gradient of {name}: {gradient}";
            if ((array.FreshGrad, array.Version) != (own.FreshGrad, own.Version)) return $"{name}: fresh {own.FreshGrad}, version {own.Version}, expected {array.FreshGrad}, {array.Version}";
        }

        return null;
    }

    private static (NDArray? Result, Exception? Error) Try(Func<NDArray, NDArray> step, NDArray x)
    {
        try
        {
            return (step(x), null);
        }
        catch (AutogradException error)
        {
            return (null, error);
        }
    }
}
