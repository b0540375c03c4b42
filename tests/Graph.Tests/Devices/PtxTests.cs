using System.Text;
using System.Text.RegularExpressions;
using Fusion.Kernels;

namespace Fusion.Tests.Devices;

/// <summary>
/// The code of groups for NVIDIA's processors, which needs none: what it must look like, and how many instructions of each class it has. The numbers are in
/// <c>ptx.txt</c> beside this file; <c>FUSION_UPDATE_GOLDEN=1</c> writes it anew.
/// </summary>
[Collection(nameof(ProcessState))]
public sealed class PtxTests
{
    private static readonly string[] s_products = ["product, bias, relu", "layer, gelu, residual", "convolution, bias, scale of channels, relu"];

    private static readonly string[] s_catalogue =
    [
        "chain", "softmax and neighbours", "softmax gradient", "layer norm, residual, gelu", "layer norm gradient", "cross entropy and its gradient", "norm written out",
        "double", .. s_products,
    ];

    [Fact]
    public void GroupsHaveTheInstructionsThatTheyHad()
    {
        StringBuilder text = new();
        foreach (int capability in new[] { 80, 90 })
        {
            foreach (string name in s_catalogue)
            {
                string ptx = Assert.Single(Ptx(name, capability));
                AssertClean(ptx, capability, isProduct: s_products.Contains(name));
                text.Append($"sm_{capability} {name}: {PtxSummary.Of(ptx)}\n");
            }

            foreach ((string name, RowSpec spec) in new[] { ("softmax", RowPrograms.Softmax(false)), ("layer norm", RowPrograms.Normalize(false, true, true, true)) })
            {
                string ptx = DeviceKernelText.ToPtx(spec, 1024, capability);
                AssertClean(ptx, capability);
                text.Append($"sm_{capability} {name} of rows of 1024: {PtxSummary.Of(ptx)}\n");
            }
        }

        string path = Path.Combine(RepositoryRoot.Path, "tests/Graph.Tests/Devices/ptx.txt");
        if (Environment.GetEnvironmentVariable("FUSION_UPDATE_GOLDEN") == "1") File.WriteAllText(path, text.ToString());
        Assert.Equal(File.ReadAllText(path), text.ToString(), ignoreLineEndingDifferences: true);
    }

    [Fact]
    public void ContiguousElementsAreMovedFourAtATime()
    {
        string ptx = Assert.Single(Ptx("chain", 80));
        Assert.Equal((2, 1), (Regex.Count(ptx, @"ld\.global\S*v4\.f32"), Regex.Count(ptx, @"st\.global\S*v4\.f32")));
    }

    /// <summary>Every reduction: a shuffle for each halving of the threads that share a row, and one that gives all of them the result.</summary>
    [Theory]
    [InlineData("softmax and neighbours", 2)]
    [InlineData("layer norm, residual, gelu", 2)]
    [InlineData("softmax gradient", 1)]
    public void ShortRowsAreFoldedByShuffles(string name, int reductions)
    {
        string ptx = Assert.Single(Ptx(name, 80));
        int shuffles = Regex.Count(ptx, @"shfl\.sync");
        Assert.Equal(0, shuffles % reductions);
        Assert.InRange(shuffles / reductions, int.Log2(4) + 1, int.Log2(16) + 1);
        Assert.DoesNotMatch(@"\.shared|\bbar(rier)?\.sync", ptx);
    }

    [Fact]
    public void LongRowsAreReducedInSharedMemory()
    {
        string ptx = DeviceKernelText.ToPtx(RowPrograms.Softmax(false), 1024);
        Assert.Matches(@"(?m)^\s*\.shared", ptx);
        Assert.Matches(@"\bbar(rier)?\.sync", ptx);
        Assert.DoesNotMatch("shfl", ptx);
    }

    [Fact]
    public void LongWorkOnAProductIsNotRepeatedForEveryRowOfATile()
    {
        string small = Product("layer, gelu, residual", large: false), large = Product("layer, gelu, residual", large: true);
        // Four tiles of four rows a thread, a copy of the code each.
        Assert.Equal((4, 16), (Regex.Count(small, @"div\.rn\.f32"), Regex.Count(large, @"div\.rn\.f32")));
        Assert.Equal((1, 4), (Regex.Count(small, @"st\.global\S*v4\.f32"), Regex.Count(large, @"st\.global\S*v4\.f32")));
    }

    [Fact]
    public void AKernelOverManyTensorsChoosesArraysAndNotCode()
    {
        KernelSpec spec = KernelSpec.Of(ElementOps.FusedMultiplyAdd, false);
        string one = DeviceKernelText.ToPtx(spec), many = DeviceKernelText.ToPtx(spec, 80, 20);
        AssertClean(many, 80);
        foreach (string pattern in new[] { @"ld\.global\S*v4\.f32", @"st\.global\S*v4\.f32", @"fma\.rn\.f32" })
            Assert.Equal(Regex.Count(one, pattern), Regex.Count(many, pattern));
    }

    // Sums of products may be contracted.
    private static void AssertClean(string ptx, int capability, bool isProduct = false)
    {
        Assert.Single(Regex.Matches(ptx, @"\.entry"));
        Assert.Empty(Regex.Matches(ptx, @"\bcall\b|\.approx|\.ftz|\.local"));
        if (!isProduct) Assert.Empty(Regex.Matches(ptx, @"\b(add|sub|mul|fma)\.f(32|64)"));
        // ILGPU 1.5.3 names no newer target; the driver compiles for the processor at hand.
        Assert.Contains($".target sm_{Math.Min(capability, 80)}", ptx[..200], StringComparison.Ordinal);
    }

    private static string Product(string name, bool large)
    {
        DeviceGroup group = DeviceGroup.All[name];
        ProductStep step = Assert.IsType<ProductStep>(Assert.Single(Plan.Build(Graphs.Of(group.Function, group.Inputs()), device: GpuDevices.Debug).Steps));
        return DeviceKernelText.ToPtx(step.Code, isConvolution: false, large);
    }

    // The plan alone: nothing runs, and nothing is compiled for the device.
    private static string[] Ptx(string name, int capability)
    {
        DeviceGroup group = DeviceGroup.All[name];
        Plan plan = Plan.Build(Graphs.Of(group.Function, group.Inputs()), device: GpuDevices.Debug);
        return [.. plan.Steps.SelectMany(s => s.Ptx(capability))];
    }
}
