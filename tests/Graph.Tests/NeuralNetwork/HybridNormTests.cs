namespace Fusion.Tests;

/// <summary>The normalizations of channels: sums and moments are computed by the launch that uses them, with the bits of eager execution.</summary>
public sealed class HybridNormTests
{
    private static readonly Dictionary<string, Func<NDArray[], NDArray>> s_norms = new()
    {
        ["group"] = static x => x[0].GroupNorm(2, x[1], x[2]),
        ["instance"] = static x => x[0].InstanceNorm(x[1], x[2]),
        ["batch"] = static x => x[0].BatchNorm(x[1], x[2], Nd.Zeros(6, x[0].DType), Nd.Ones(6, x[0].DType)),
        ["group, of slices"] = static x => x[0].GroupNorm(3, x[3][..6], x[3][4..]),
        ["batch, its scale from its own input"] = static x => x[0].BatchNorm(x[1] * x[0].Mean([0, 2, 3]), x[2], Nd.Zeros(6, x[0].DType), Nd.Ones(6, x[0].DType)),
    };

    public static TheoryData<string, int, DType> Norms
    {
        get
        {
            TheoryData<string, int, DType> data = [];
            foreach (string name in s_norms.Keys)
                foreach (int size in (int[])[1, 5, 7, 33])
                    foreach (DType dtype in (DType[])[DType.Float32, DType.Float64, DType.Float16]) data.Add(name, size, dtype);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Norms))]
    public void SameBitsAsEagerly(string name, int size, DType dtype)
    {
        Func<NDArray[], NDArray> norm = s_norms[name];
        Check.Backward(
            x => [norm([.. x])],
            [.. new Shape[] { (3, 6, size, size), 6, 6, 10 }.Select(s => TestArrays.Uniform(s).AsType(dtype))]);
    }

    [Theory]
    [InlineData("group", "GroupNormSums · GroupNormGradient")]
    [InlineData("instance", "GroupNormSums · GroupNormGradient")]
    [InlineData("batch", "ChannelMoments · BatchNorm")]
    [InlineData("batch", "BatchNormSums · BatchNormGradient")]
    public void OneLaunchComputesBoth(string name, string launch)
    {
        NDArray[] inputs = [TestArrays.Uniform((3, 6, 7, 7)), TestArrays.Uniform(6), TestArrays.Uniform(6)];
        foreach (NDArray variable in inputs) variable.AttachGrad();
        NDArray head = TestArrays.Uniform((3, 6, 7, 7));
        Func<NDArray> step = () =>
        {
            NDArray y;
            using (Autograd.Record()) y = s_norms[name](inputs);
            y.Backward(head);
            return y;
        };
        HybridFunction<Func<NDArray>> compiled = step.Hybridize(Check.Strict);
        Check.Same(step(), compiled.Invoke());
        Assert.Contains(launch, compiled.Report.ToString());
    }
}
