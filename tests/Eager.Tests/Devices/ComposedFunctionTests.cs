using static Fusion.Tests.FunctionChecks;

namespace Fusion.Tests;

/// <summary>Functions that are made of others give on a device what they give on the processor, and so do their gradients.</summary>
public sealed class ComposedFunctionTests
{
    private static readonly Dictionary<string, Func<NDArray, NDArray>> s_functions = new()
    {
        ["Take"] = static x => x.Take(Nd.Array([-9, 1, 7]).To(x.Device), 1, IndexMode.Clip) + x.Take(Nd.Array([-9, 1, 7]).To(x.Device), 1, IndexMode.Wrap),
        ["Pick"] = static x => x.Pick(Nd.Array([-9, 7]).To(x.Device), 1, IndexMode.Clip, keepDims: true) * x.Pick(Nd.Array([-9, 7]).To(x.Device), 1, IndexMode.Wrap, keepDims: true),
        ["Eye"] = static x => x * Nd.Eye(2, 4, 1, device: x.Device),
        ["HStack"] = static x => Nd.HStack([x, Nd.Square(x)]),
        ["VStack"] = static x => Nd.VStack([x, x[0]]),
        ["DStack"] = static x => Nd.DStack([x, Nd.Square(x)]),
        ["ColumnStack"] = static x => Nd.ColumnStack([x, x[.., 0]]),
        ["Roll"] = static x => x.Roll([1, -1], [0, 1]) * x.Roll(3),
        ["Relu6"] = static x => Nd.Relu6(x * 8),
        ["HardSwish"] = static x => Nd.HardSwish(x * 4),
        ["Celu"] = static x => Nd.Celu(x, 0.5),
        ["Glu"] = static x => Nd.Glu(x),
        ["PRelu"] = static x => Nd.PRelu(x, x[0]),
        ["Quantile"] = static x => Nd.Quantile(x, [0.25, 0.4], 1),
        ["CumSum"] = static x => Nd.CumSum(x, 1, exclusive: true) + Nd.CumSum(x, 0, exclusive: true, reverse: true),
        ["Quantile between"] = static x => Nd.Quantile(x, [0.3, 0.6], 1, QuantileMode.Midpoint),
        ["Percentile"] = static x => Nd.Percentile(x, 30, 1, mode: QuantileMode.Nearest),
        ["Pad"] = static x => Nd.Pad(x, [(1, 0), (0, 2)], PadMode.Maximum) * Nd.Pad(x, [(1, 0), (0, 2)], PadMode.Minimum),
        ["Cross"] = static x => Nd.Cross(x[.., ..2], x[.., 2..]) + Nd.Cross(x[.., ..2], x[.., ..3]).Sum(1),
        ["PolyVal"] = static x => Nd.PolyVal(x[0], x),
        ["Vander"] = static x => Nd.Vander(x[0], 3),
        ["Trapezoid"] = static x => Nd.Trapezoid(x, x[1]) + Nd.Trapezoid(x, 0.3),
        ["Insert"] = static x => Nd.Insert(x, [1, 1], x[1]) * 2 + Nd.Insert(x, 1, x),
        ["Delete"] = static x => Nd.Delete(x, [0, 2], 1) * 3,
        ["Ptp"] = static x => Nd.Ptp(x, [1]),
        ["NanStd"] = static x => Nd.NanStd(Nd.Where(x > 0.5, double.NaN, x), [1], correction: 1),
        ["Cov"] = static x => Nd.Cov(x) + Nd.CorrCoef(x),
        ["Logit"] = static x => Nd.Logit(Nd.Abs(x), 0.3) + Nd.XLogY(x, Nd.Abs(x)),
        ["LogSpace"] = static x => x * Nd.LogSpace(0, 1, 4, device: x.Device) + Nd.Blackman(4, device: x.Device),
    };

    public static TheoryData<string> Names => [.. s_functions.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void ADeviceGivesWhatTheProcessorGives(string name)
    {
        (NDArray value, NDArray gradient) = Both(s_functions[name], Device.Cpu);
        (NDArray there, NDArray gradientThere) = Both(s_functions[name], Device.Debug);
        Assert.Equal((Device.Debug, Device.Debug), (there.Device, gradientThere.Device));
        Close(value, there, 1e-6);
        Close(gradient, gradientThere, 1e-6);
    }

    private static (NDArray Value, NDArray Gradient) Both(Func<NDArray, NDArray> f, Device device)
    {
        NDArray x = Leaf.Attached(Random((2, 4)).AsType(DType.Float32).To(device)), y;
        using (Autograd.Record()) y = f(x);
        y.Backward(Random(y.Shape, 7).AsType(DType.Float32).To(device));
        return (y, x.Grad!);
    }
}
