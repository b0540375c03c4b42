using Fusion.Data;

namespace Fusion.Tests;

public sealed class DataLoaderTests
{
    private static ArrayDataset Numbers(int count) => new(Nd.Arange(0, count).Reshape(count, 1), Nd.Arange(0, count, 1, DType.Int32));

    [Theory]
    [InlineData(10, 3, false, 4, 1)]
    [InlineData(10, 3, true, 3, 3)]
    [InlineData(9, 3, false, 3, 3)]
    [InlineData(2, 5, false, 1, 2)]
    [InlineData(2, 5, true, 0, 0)]
    [InlineData(0, 5, false, 0, 0)]
    public void BatchesCoverTheDatasetInOrder(int count, int batchSize, bool dropLast, int batches, int last)
    {
        DataLoader loader = new(Numbers(count), batchSize, dropLast: dropLast);
        List<Batch> all = [.. loader];
        Assert.Equal(batches, loader.Count);
        Assert.Equal(batches, all.Count);
        if (batches > 0) Assert.Equal(last, all[^1].Data.Shape[0]);
        Assert.Equal(Enumerable.Range(0, all.Sum(b => b.Data.Shape[0])), all.SelectMany(b => b.Label.ToArray<int>()));
    }

    [Fact]
    public void ShuffledEpochsArePermutationsThatFollowFromTheSeed()
    {
        static int[] Epoch(DataLoader loader) => [.. loader.SelectMany(b => b.Label.ToArray<int>())];
        DataLoader loader = new(Numbers(50), batchSize: 7, shuffle: true, seed: 3);
        int[] first = Epoch(loader), second = Epoch(loader);
        Assert.Equal(Enumerable.Range(0, 50), first.Order());
        Assert.Equal(Enumerable.Range(0, 50), second.Order());
        Assert.NotEqual(first, second);
        Assert.Equal(first, Epoch(new DataLoader(Numbers(50), 11, shuffle: true, seed: 3)));
        Assert.NotEqual(first, Epoch(new DataLoader(Numbers(50), 7, shuffle: true, seed: 4)));
        loader.Epoch = 1;
        Assert.Equal(second, Epoch(loader));
    }

    [Fact]
    public void DataAndLabelsStayTogether()
    {
        foreach ((NDArray x, NDArray y) in new DataLoader(Numbers(20), 6, shuffle: true, seed: 1))
            Assert.Equal(y.ToArray<int>(), x.AsType(DType.Int32).ToArray<int>());
    }

    [Fact]
    public void DatasetsAreTransformedSplitAndComputed()
    {
        Dataset even = Numbers(10).Subset([0, 2, 4, 6, 8]).Select(b => new Batch(b.Data * 10, b.Label));
        Assert.Equal([80f, 0f], even.Gather([4, 0]).Data.ToArray<float>());
        Dataset squares = Dataset.Create(4, i => [Nd.Scalar(i * i), Nd.Array([i, -i])]);
        Batch batch = squares.Gather([3, 1]);
        Assert.Equal([9f, 1f], batch.Data.ToArray<float>());
        Assert.Equal(new Shape(2, 2), batch.Label.Shape);
        Assert.Throws<ArgumentOutOfRangeException>(() => Numbers(3).Subset([3]));
    }

    [Fact]
    public void ProgressIsReportedAfterEachBatch()
    {
        List<LoaderProgress> reports = [];
        DataLoader loader = new(Numbers(5), 2) { Progress = new Reporter(reports) };
        foreach (Batch batch in loader) Assert.NotNull(batch.Label);
        Assert.Equal([new(0, 1, 3), new(0, 2, 3), new(0, 3, 3)], reports);
    }

    [Fact]
    public void BadArgumentsAreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new DataLoader(Numbers(3), 0));
        Assert.Throws<ShapeException>(() => new ArrayDataset(Nd.Zeros(3), Nd.Zeros(4)));
        Assert.Throws<ShapeException>(() => new ArrayDataset(Nd.Scalar(1)));
        Assert.Throws<ArgumentException>(() => new ArrayDataset());
        Assert.Throws<InvalidOperationException>(() => new ArrayDataset(Nd.Zeros(3)).Gather([0]).Label);
    }

    /// <summary>Functions that give something else than samples, and positions that are none.</summary>
    [Fact]
    public void BadSamplesAreNamed()
    {
        static Dataset Of(Func<int, IReadOnlyList<NDArray>> sample) => Dataset.Create(3, sample);
        Dataset good = Of(static i => [Nd.Scalar(i)]);
        (Action Call, Type Error, string Part)[] wrong =
        [
            (() => good.Gather([]), typeof(ArgumentException), "without a position"),
            (() => good.Gather([0, 3]), typeof(ArgumentOutOfRangeException), "3 samples"),
            (() => good.Gather([-1]), typeof(ArgumentOutOfRangeException), "3 samples"),
            (() => good.Gather(null!), typeof(ArgumentNullException), "indices"),
            (() => good.Subset([1, 2]).Gather([2]), typeof(ArgumentOutOfRangeException), "2 samples"),
            (() => good.Select(static _ => null!).Gather([0]), typeof(InvalidOperationException), "batch"),
            (() => Of(static _ => null!).Gather([0]), typeof(InvalidOperationException), "sample"),
            (() => Of(static i => i == 0 ? [Nd.Scalar(0), Nd.Scalar(1)] : [Nd.Scalar(0)]).Gather([0, 1]), typeof(InvalidOperationException), "sample 1 has 1 arrays, sample 0 has 2"),
            (() => Of(static i => i == 1 ? [Nd.Scalar(0), Nd.Scalar(1)] : [Nd.Scalar(0)]).Gather([0, 1]), typeof(InvalidOperationException), "sample 1 has 2 arrays, sample 0 has 1"),
        ];
        Assert.All(wrong, static w => Assert.Contains(w.Part, Assert.Throws(w.Error, w.Call).Message, StringComparison.Ordinal));
    }

    private sealed class Reporter(List<LoaderProgress> reports) : IProgress<LoaderProgress>
    {
        public void Report(LoaderProgress value) => reports.Add(value);
    }
}
