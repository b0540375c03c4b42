namespace Fusion;

/// <summary>A device is missing, has failed, or does not hold what an operator needs.</summary>
public class DeviceException : InvalidOperationException
{
    /// <summary>With a message.</summary>
    public DeviceException(string message)
        : base(message)
    {
    }

    /// <summary>With a message and what the driver said.</summary>
    public DeviceException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Without a message.</summary>
    public DeviceException()
    {
    }
}
