namespace Fusion;

/// <summary>Arrays that a function writes in place, as they are now. Their elements are shared, not copied: who writes next makes a copy.</summary>
internal sealed class StateSnapshot(NDArray[] arrays)
{
    private readonly NDArray[] _before = Array.ConvertAll(arrays, Of);
    private readonly int[] _versions = Array.ConvertAll(arrays, static a => a.Version);

    public static NDArray Of(NDArray array) => array.View(array.Shape, array.Offset, Views.Strides(array));

    /// <summary>Gives the arrays back what they had.</summary>
    public void Restore()
    {
        using RecordScope pause = new(false, null);
        for (int i = 0; i < arrays.Length; i++)
        {
            arrays[i].Adopt(_before[i], sourceDies: false);
            arrays[i].Version = _versions[i];
        }
    }
}
