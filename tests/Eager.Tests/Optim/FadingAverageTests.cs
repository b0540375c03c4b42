using Fusion.IO;
using Fusion.Optim;

namespace Fusion.Tests;

/// <summary>Averages of gradients that stay zero fade to zero, not to denormal numbers, which cost processors a hundred times as long.</summary>
public class FadingAverageTests
{
    private static readonly Dictionary<string, Func<NDArray, Optimizer>> s_optimizers = new()
    {
        ["Sgd"] = static p => new Sgd([p], 0.1, momentum: 0.75),
        ["Adam"] = static p => new Adam([p], beta1: 0.75, beta2: 0.8),
        ["AdamW"] = static p => new AdamW([p], beta1: 0.75, beta2: 0.8),
        ["NAdam"] = static p => new NAdam([p], beta1: 0.75, beta2: 0.8),
        ["RAdam"] = static p => new RAdam([p], beta1: 0.75, beta2: 0.8),
        ["Lamb"] = static p => new Lamb([p], beta1: 0.75, beta2: 0.8),
        ["RmsProp"] = static p => new RmsProp([p], alpha: 0.75, momentum: 0.8, centered: true),
        ["AdaDelta"] = static p => new AdaDelta([p], rho: 0.75),
    };

    public static TheoryData<string, DType> Cases()
    {
        TheoryData<string, DType> cases = [];
        foreach (string name in s_optimizers.Keys)
        {
            cases.Add(name, DType.Float32);
            cases.Add(name, DType.Float64);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void FadeToZero(string name, DType dtype)
    {
        NDArray p = Nd.Array([1.0, -2, 3, 0.5]).AsType(dtype);
        p.AttachGrad();
        Optimizer optimizer = s_optimizers[name](p);
        Step(optimizer, p, [1, -1, 1e-3, 0]);
        NDArray[] begun = States(optimizer);
        Assert.NotEmpty(begun);
        Assert.All(begun, static s => Assert.Equal(3, s.ToArray<double>().Count(static v => v != 0)));
        // 0.8 to this power is below the least number of the type; a number of a few units of the least one stays what it is at 0.75 and 0.8.
        for (int i = 0; i < (dtype == DType.Float64 ? 3600 : 520); i++) Step(optimizer, p, [0, 0, 0, 0]);
        Assert.All(States(optimizer), static s => Assert.Equal([0, 0, 0, 0], s.ToArray<double>()));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void KeepWhatIsNoNumber(string name, DType dtype)
    {
        NDArray p = Nd.Array([1.0, -2, 3, 0.5]).AsType(dtype);
        p.AttachGrad();
        Optimizer optimizer = s_optimizers[name](p);
        Step(optimizer, p, [double.NaN, double.NegativeInfinity, 1, 1e-3]);
        Assert.All(States(optimizer), static s => Assert.True(double.IsNaN(s.ToArray<double>()[0])));
        Assert.True(double.IsNaN(p.AsType(DType.Float64).ToArray<double>()[0]));
    }

    /// <summary>Without ε a small gradient moves a parameter as far as a large one: its square must not become zero.</summary>
    [Fact]
    public void SmallGradientsCountWhereNothingIsAddedToTheirRoot()
    {
        foreach (Func<NDArray, Optimizer> make in new Func<NDArray, Optimizer>[] { static p => new Adam([p], 0.1, epsilon: 0), static p => new RmsProp([p], 0.1, alpha: 0, epsilon: 0) })
        {
            NDArray p = Nd.Array([1f, 2]);
            p.AttachGrad();
            Optimizer optimizer = make(p);
            Step(optimizer, p, [1e-20, -1]);
            Assert.Equal([0.9, 2.1], p.AsType(DType.Float64).ToArray<double>(), static (a, b) => Math.Abs(a - b) < 0.002);
        }
    }

    private static void Step(Optimizer optimizer, NDArray p, double[] gradient)
    {
        p.Grad!.Assign(Nd.Array(gradient).AsType(p.DType));
        p.FreshGrad = true;
        optimizer.Step();
    }

    private static NDArray[] States(Optimizer optimizer)
    {
        using TemporaryFolder folder = new();
        string path = folder["state.safetensors"];
        optimizer.Save(path);
        // The direction that Lamb keeps beside its averages depends on the parameter.
        return [.. Safetensors.Load(path).Where(s => s.Key.StartsWith("0.", StringComparison.Ordinal) && !(optimizer is Lamb && s.Key == "0.0"))
            .Select(static s => s.Value.AsType(DType.Float64))];
    }
}
