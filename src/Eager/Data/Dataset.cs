namespace Fusion.Data;

/// <summary>Samples by position. Derived classes say how many there are and how some of them become a batch.</summary>
public abstract class Dataset
{
    /// <summary>The number of samples.</summary>
    public abstract int Count { get; }

    /// <summary>The batch of the samples at these positions, in this order.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A position is outside the dataset.</exception>
    public abstract Batch Gather(IReadOnlyList<int> indices);

    /// <summary>Samples computed one by one: each gives its arrays without the batch axis, which are stacked.</summary>
    public static Dataset Create(int count, Func<int, IReadOnlyList<NDArray>> sample)
    {
        Require.NotNegative(count, nameof(Dataset));
        ArgumentNullException.ThrowIfNull(sample);
        return new Computed(count, sample);
    }

    /// <summary>This dataset with a function applied to each batch: normalisation, augmentation, conversion.</summary>
    public Dataset Select(Func<Batch, Batch> transform)
    {
        ArgumentNullException.ThrowIfNull(transform);
        return new Transformed(this, transform);
    }

    /// <summary>The samples at some positions only: a split into training and validation.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A position is outside the dataset.</exception>
    public Dataset Subset(IReadOnlyList<int> indices)
    {
        ArgumentNullException.ThrowIfNull(indices);
        foreach (int index in indices)
            if ((uint)index >= (uint)Count) throw new ArgumentOutOfRangeException(nameof(indices), index, $"Subset: the dataset has {Count} samples.");
        return new Part(this, [.. indices]);
    }

    private void Check(IReadOnlyList<int> indices)
    {
        ArgumentNullException.ThrowIfNull(indices);
        foreach (int index in indices)
            if ((uint)index >= (uint)Count) throw new ArgumentOutOfRangeException(nameof(indices), index, $"Gather: the dataset has {Count} samples.");
    }

    private static InvalidOperationException ReturnedNull(string what) => new($"Gather: the {what} that the function returned is null.");

    private sealed class Computed(int count, Func<int, IReadOnlyList<NDArray>> sample) : Dataset
    {
        public override int Count => count;

        public override Batch Gather(IReadOnlyList<int> indices)
        {
            Check(indices);
            if (indices.Count == 0) throw new ArgumentException("Gather: without a position it is not known what arrays a sample has. Give one position at least.", nameof(indices));
            IReadOnlyList<NDArray>[] samples = new IReadOnlyList<NDArray>[indices.Count];
            for (int i = 0; i < samples.Length; i++)
            {
                samples[i] = sample(indices[i]) ?? throw ReturnedNull("sample");
                if (samples[i].Count != samples[0].Count)
                    throw new InvalidOperationException($"Gather: sample {indices[i]} has {samples[i].Count} arrays, sample {indices[0]} has {samples[0].Count}. All samples need as many.");
            }

            NDArray[] arrays = new NDArray[samples[0].Count];
            for (int k = 0; k < arrays.Length; k++) arrays[k] = Nd.Stack(Array.ConvertAll(samples, s => s[k]));
            return new Batch(arrays);
        }
    }

    private sealed class Transformed(Dataset source, Func<Batch, Batch> transform) : Dataset
    {
        public override int Count => source.Count;

        public override Batch Gather(IReadOnlyList<int> indices) => transform(source.Gather(indices)) ?? throw ReturnedNull("batch");
    }

    private sealed class Part(Dataset source, int[] positions) : Dataset
    {
        public override int Count => positions.Length;

        public override Batch Gather(IReadOnlyList<int> indices)
        {
            Check(indices);
            int[] mapped = new int[indices.Count];
            for (int i = 0; i < mapped.Length; i++) mapped[i] = positions[indices[i]];
            return source.Gather(mapped);
        }
    }
}
