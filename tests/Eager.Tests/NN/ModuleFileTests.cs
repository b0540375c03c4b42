using Fusion.IO;
using Fusion.NN;

namespace Fusion.Tests;

public sealed class ModuleFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("net.safetensors")]
    [InlineData("net.npz")]
    public void LoadRestoresWhatSaveWrote(string file)
    {
        Sequential first = Net(5), second = Net(5);
        NDArray x = Nd.Ones((2, 4));
        first.Save(_folder[file]);
        NDArray weight = second.Parameters["0.weight"];
        second.Load(_folder[file]);
        Assert.Equal(first.Forward(x).ToArray<float>(), second.Forward(x).ToArray<float>());
        Assert.Same(weight, second.Parameters["0.weight"]);
        Assert.NotNull(weight.Grad);
    }

    [Fact]
    public void AFileOfAnotherModuleChangesNothing()
    {
        Sequential net = Net(5);
        float[] before = net.Parameters["0.weight"].ToArray<float>();
        Net(6).Save(_folder["shape"]);
        InvalidDataException shape = Assert.Throws<InvalidDataException>(() => net.Load(_folder["shape"]));
        Assert.Contains("'0.weight' is (6, 4) in the file and (5, 4)", shape.Message, StringComparison.Ordinal);
        Safetensors.Save(_folder["names"], new Dictionary<string, NDArray> { ["extra"] = Nd.Zeros(1) });
        InvalidDataException names = Assert.Throws<InvalidDataException>(() => net.Load(_folder["names"]));
        Assert.Contains("missing: 0.weight, 0.bias, 2.weight, 2.bias; unknown: extra", names.Message, StringComparison.Ordinal);
        Assert.Equal(before, net.Parameters["0.weight"].ToArray<float>());
    }

    [Fact]
    public void SummaryListsModulesShapesAndParameters()
    {
        string summary = Net(5).Summary((3, 4));
        string[] lines = summary.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(6, lines.Length);
        Assert.Equal(["0", "Linear", "(3, 5)", "25"], Cells(lines[2]));
        Assert.Equal(["1", "Relu", "(3, 5)", "0"], Cells(lines[3]));
        Assert.Equal(["(all)", "Sequential", "(3, 2)", "37"], Cells(lines[5]));
        static string[] Cells(string line) => line.Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }

    [Fact]
    public void EmbeddingGathersRowsAndAddsUpTheirGradients()
    {
        Embedding embedding = new(4, 2, Initializer.Ones);
        NDArray loss;
        using (Autograd.Record()) loss = Nd.Sum(embedding.Forward(Nd.Array([1, 3, 1])));
        loss.Backward();
        Assert.Equal([0f, 0f, 2f, 2f, 0f, 0f, 1f, 1f], embedding.Weight.Grad!.ToArray<float>());
        Assert.Throws<ArgumentOutOfRangeException>(() => embedding.Forward(Nd.Array([4])));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Embedding(0, 2));
    }

    private static Sequential Net(int hidden) => new(new Linear(4, hidden), new Relu(), new Linear(hidden, 2));
}
