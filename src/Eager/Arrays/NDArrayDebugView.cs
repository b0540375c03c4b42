namespace Fusion;

/// <summary>What a debugger shows of an array when it is opened.</summary>
internal sealed class NDArrayDebugView(NDArray array)
{
    private const int MaxValues = 1000;

    public Shape Shape => array.Shape;

    public DType DType => array.DType;

    public Device Device => array.Device;

    public NDArray? Grad => array.Grad;

    /// <summary>The operator that computed the array, when it is on the tape.</summary>
    public string? RecordedBy => (array.Source as TapeNode)?.Op.Name;

    public string Text => array.ToString();

    /// <summary>The first elements in row-major order.</summary>
    public object[] Values
    {
        get
        {
            if (!array.HasData) return [];
            object[] values = new object[(int)Math.Min(array.Size, MaxValues)];
            for (int i = 0; i < values.Length; i++) values[i] = array.ElementAt(i);
            return values;
        }
    }
}
