namespace Fusion.Tests;

/// <summary>Arrays have up to 64 axes, as in NumPy and PyTorch, in every kind of operator; what many sizes of 1 give is what it gives without them.</summary>
public sealed class RankTests
{
    private static readonly Dictionary<string, Func<NDArray, NDArray>> s_functions = new()
    {
        ["operands that broadcast"] = static x => x + Nd.Array([1f, 2, 3]),
        ["stretched operands"] = static x => x.Slice(0, 0, 1) * x.Slice(-1, 0, 1),
        ["transposed axes"] = static x => x.Transpose().Copy(),
        ["a choice"] = static x => Nd.Where(x.SwapAxes(0, -1) > 2, x.SwapAxes(0, -1), 0),
        ["a softmax of the first axis"] = static x => x.Softmax(0),
        ["sums of some axes"] = static x => x.Sum([0, x.Rank / 2]),
        ["a product of matrices"] = static x => Nd.MatMul(x.SwapAxes(0, -2), x.SwapAxes(0, -2).SwapAxes(-1, -2)),
        ["parts that are joined"] = static x => Nd.Concat([x, x + 1], 0),
        ["a slice that runs backwards"] = static x => x.Flip(-1).Flip(0).Copy(),
        ["taken elements"] = static x => x.Take(Nd.Array([1, 0, 1]), 0),
        ["a sorted axis"] = static x => x.Sort(0, descending: true),
        ["running sums"] = static x => x.CumSum(0),
        ["a reduced chain"] = static x => Nd.Exp((x.SwapAxes(0, -1) - 1) * 0.5).Sum([0]),
    };

    public static TheoryData<string, int> Cases()
    {
        TheoryData<string, int> data = [];
        foreach (string name in s_functions.Keys)
            foreach (int rank in (int[])[32, 33, 64]) data.Add(name, rank);
        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void ManyAxesAreNotDifferent(string name, int rank)
    {
        int[] shape = [2, .. Enumerable.Repeat(1, rank - 2), 3], few = [2, 1, 3];
        Func<NDArray, NDArray> f = s_functions[name];
        NDArray x = Nd.Array([1f, 5, 2, 4, 3, 6]), expected = f(x.Reshape(few));
        Assert.Equal(expected.ToArray<float>(), f(x.Reshape(shape)).ToArray<float>());
        Assert.Equal(expected.ToArray<float>(), f.Hybridize().Invoke(x.Reshape(shape)).ToArray<float>());
        Assert.Equal(Gradient(few).ToArray<float>(), Gradient(shape).ToArray<float>());
        NDArray Gradient(int[] sizes)
        {
            NDArray variable = x.Reshape(sizes), head;
            variable.AttachGrad();
            using (Autograd.Record()) head = Nd.Square(f(variable)).Sum();
            head.Backward();
            return variable.Grad!;
        }
    }
}
